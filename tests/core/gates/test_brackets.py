"""Code that stops in the middle is cut; brackets in strings, patterns and diffs say nothing."""

from __future__ import annotations

import pytest

from kalibr_core.gates.brackets import is_cut


@pytest.mark.parametrize(
    "source",
    [
        "function f(a) {\n  return a.map((x) => {",
        'func main() {\n\tfmt.Println("a"',
        "const f = async () => {\n  const r = await fetch(",
        "SELECT a, b FROM t WHERE a IN (",
        "class A {\n  int x;\n  void f() {\n    x =",
        "struct Config {\n    #[serde(default)]\n    workers: Option<usi",
        "export class E<T> {\n  private h: { [K in keyof T]?: Set<",
    ],
)
def test_an_open_bracket_at_the_end_is_a_cut(source):
    assert is_cut(source)


@pytest.mark.parametrize(
    "source",
    [
        "fn f<'a>(x: &'a str) -> &'a str { x }",
        'case $1 in\n  a) echo 1;;\n  *) echo "(";;\nesac',
        "let open = '(';\nlet re = /\\(/;",
        "@@ -1,2 +1 @@\n-f({\n+g()",
        "^\\((\\d{3})\\)",
        "[({]",
        "print('a')",
        "const a = 'it (is';\nconst b = 2;",
        "// :-(\nint x = 1;\nint y = 2;",
        "",
    ],
)
def test_whole_code_is_not_cut(source):
    assert not is_cut(source)
