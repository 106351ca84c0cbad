"""Short good programs for prompts that ask for code."""

from __future__ import annotations

import re

from kalibr_bench.provider.answers.words import FILLER

_ASKED = re.compile(
    r"```|\b(?:code|function|script|implement|program|class|method|algorithm|regex|query"
    r"|unit tests?|refactor|snippet|endpoint)\b",
    re.I,
)
_LANGUAGES = (
    ("typescript", r"typescript"),
    ("javascript", r"javascript|node\.?js|\bjs\b"),
    ("sql", r"\bsql\b|select statement|postgres"),
    ("go", r"\bgolang\b|\bin go\b|\bgo (?:function|program|code)"),
    ("rust", r"\brust\b"),
    ("java", r"\bjava\b"),
    ("bash", r"\bbash\b|shell script"),
)
_NAMED = re.compile(
    r"(?:function|method|def)\s+(?:called |named )?[`'\"]?([A-Za-z_]\w*)[`'\"]?\s*(?:\(|\b)"
    r"|[`'\"]([a-z_]\w*)(?:\([^)]*\))?[`'\"]"
)


def asks_for_code(text: str) -> bool:
    """Whether a prompt asks for a program."""
    verbs = re.search(
        r"\b(?:write|implement|create|generate|fix|code|build|refactor|def)\b", text, re.I
    )
    return verbs is not None and _ASKED.search(text) is not None


def program(text: str) -> str:
    """A fenced program in the language that a prompt names, Python if it names none."""
    language = next((name for name, p in _LANGUAGES if re.search(p, text, re.I)), "python")
    name = _name(text)
    body = _TEMPLATES[language].replace("NAME", name).replace("CAMEL", _camel(name))
    return f"```{language}\n{body}\n```\n\n`{name}` handles empty input and keeps the order."


def _name(text: str) -> str:
    found = _NAMED.search(text)
    name = next((group for group in found.groups() if group), "") if found else ""
    if name and name.lower() not in FILLER:
        return name
    words = [w for w in re.findall(r"[a-z]{3,}", text.lower()) if w not in FILLER]
    return "_".join(words[:2]) or "solve"


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(word.title() for word in rest)


_TEMPLATES = {
    "python": '''def NAME(values):
    """Return the distinct values in the order in which they first came."""
    seen = set()
    result = []
    for value in values:
        if value not in seen:
            seen.add(value)
            result.append(value)
    return result''',
    "javascript": """function CAMEL(values) {
  const seen = new Set();
  return values.filter((value) => !seen.has(value) && seen.add(value));
}""",
    "typescript": """export function CAMEL<T>(values: T[]): T[] {
  const seen = new Set<T>();
  return values.filter((value) => !seen.has(value) && !!seen.add(value));
}""",
    "sql": """SELECT id, name, COUNT(*) AS total
FROM NAME
GROUP BY id, name
ORDER BY total DESC;""",
    "go": """func CAMEL(values []string) []string {
\tseen := map[string]bool{}
\tresult := []string{}
\tfor _, value := range values {
\t\tif !seen[value] {
\t\t\tseen[value] = true
\t\t\tresult = append(result, value)
\t\t}
\t}
\treturn result
}""",
    "rust": """fn NAME(values: &[String]) -> Vec<String> {
    let mut seen = std::collections::HashSet::new();
    values.iter().filter(|v| seen.insert((*v).clone())).cloned().collect()
}""",
    "java": """public static List<String> CAMEL(List<String> values) {
    return new ArrayList<>(new LinkedHashSet<>(values));
}""",
    "bash": """#!/usr/bin/env bash
set -euo pipefail
NAME() {
  awk '!seen[$0]++' "$@"
}
NAME "$@\"""",
}
