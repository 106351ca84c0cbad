"""Code in any language is code; talk about code is not."""

from __future__ import annotations

import pytest

from kalibr_core.gates.code import blocks, has_code, is_stub

SNIPPETS = [
    *(
        "ls -la",
        "pwd",
        "git status",
        "git commit --amend --no-edit",
        "chmod +x run.sh",
        "docker ps",
    ),
    *("python -m http.server 8000", "kubectl get pods -A | grep Error", "0 5 * * 1 /bin/backup"),
    *("SELECT 1;", "select name from users where id = 1", "MATCH (n:Person) RETURN n"),
    *(r"^\d{3}-\d{4}$", r"[a-z]+@[a-z]+\.com", "*.pyc\n__pycache__/", "=SUM(A1:A10)", "1 + 1"),
    *("a = 1", "x => x * 2", "print('hi')", "puts 'hi'", "def hi\n  puts 'hi'\nend", "let x = 5"),
    *("fn f<'a>(x: &'a str) -> &'a str { x }", 'main = putStrLn "hi"', "(defn f [x] (* x 2))"),
    *(
        "key: value\nother:\n  - a",
        "[section]\nkey=1",
        '{"name": "x"}',
        "FROM python:3\nRUN pip list",
    ),
    *("--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b", '<div class="a">hi</div>', "body { color: red; }"),
    *("if [ -f x ]; then\n  echo y\nfi", "MOV AX, 1\nINT 21h", "package main\n\nfunc main() {}"),
    "Here you go:\n\ndef f(x):\n    return x",
    "Use `git rebase -i HEAD~3`.",
    "The fix is on line 3: change `==` to `is`.",
    "fibs = 0 : 1 : zipWith (+) fibs (tail fibs)",
    "# 计算总和\ntotal = sum(xs)",
]
TALK = [
    "Sure! I can write that for you.",
    "Done.",
    "ok",
    "To solve this you need to loop over the list and keep the largest value in a variable.",
    "You can use the map() function and then filter() to get the result that you need.",
    "First, open the file. Then, read each line (one by one) and split it by comma.",
    "The answer is a recursive algorithm: split the array in two halves and merge them.",
    "- open the file and read its lines\n- count the words in each of them.",
    "Para resolver isso, percorra a lista e some os valores.",
    "我会先遍历列表，然后返回最大的值。",
    "먼저 목록을 순회한 다음 가장 큰 값을 반환합니다.",
    "```python\n```",
]


@pytest.mark.parametrize("text", SNIPPETS)
def test_code_is_known_with_and_without_a_fence(text):
    assert has_code(text, blocks(text))
    fenced = f"```\n{text}\n```"
    assert has_code(fenced, blocks(fenced))


@pytest.mark.parametrize("text", TALK)
def test_talk_about_code_is_no_code(text):
    assert not has_code(text, blocks(text))


def test_blocks_know_their_language_and_an_unclosed_one_runs_to_the_end():
    text = "Two:\n\n```Python\na = 1\n```\n\n~~~js\nlet a = '```';\n"
    assert blocks(text) == [("python", "a = 1\n"), ("js", "let a = '```';\n")]


def test_a_fence_inside_a_longer_fence_is_text():
    assert len(blocks("````md\n```py\nx\n```\n````")) == 1


@pytest.mark.parametrize(
    "text",
    [
        "def f(x):\n    # Your code here\n    pass",
        "function f() {\n  // TODO: implement this\n}",
        "<!-- add your code here -->",
    ],
)
def test_a_body_left_to_the_reader_is_a_stub_unless_asked_for(text):
    assert is_stub(text, "Write the function")
    assert not is_stub(text, "Write a stub for the function")


def test_a_todo_beside_real_code_is_no_stub():
    assert not is_stub("x = 1  # TODO cache this\nprint('here')", "Write it")
