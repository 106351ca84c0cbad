"""A failing service's message is no answer; a text about errors is."""

from __future__ import annotations

import json

import pytest

from kalibr_core.gates.error_texts import is_error_json, is_error_text

PROMPT = "Explain how tides work and why there are two of them each day."

MESSAGES = """
502 Bad Gateway
504 Gateway Time-out
Internal Server Error
Error: Request failed with status code 429
Error code: 500 - The server had an error processing your request.
upstream connect error or disconnect/reset before headers. reset reason: connection failure
Rate limit reached for gpt-4o on tokens per min (TPM): Limit 30000. Please try again in 1.3s.
The engine is currently overloaded, please try again later
Our servers are experiencing high traffic right now. Please try again in a few minutes.
Sorry, something went wrong on our end.
An internal error has occurred (request ID: abc-123)
Your request could not be completed because the server is overloaded.
openai.RateLimitError: Error code: 429
HTTPSConnectionPool(host='api.example.com', port=443): Read timed out.
You exceeded your current quota, please check your plan and billing details.
This model's maximum context length is 8192 tokens. However, your messages resulted in 9012.
Traceback (most recent call last):
Ein Fehler ist aufgetreten. Bitte versuchen Sie es später erneut.
Une erreur interne est survenue. Veuillez réessayer plus tard.
Se ha producido un error inesperado. Inténtelo de nuevo más tarde.
Ocorreu um erro. Tente novamente.
Si è verificato un errore. Riprova più tardi.
服务器繁忙，请稍后再试。
エラーが発生しました。しばらくしてからもう一度お試しください。
오류가 발생했습니다. 잠시 후 다시 시도해 주세요.
Произошла ошибка. Попробуйте позже.
حدث خطأ ما. يرجى المحاولة لاحقاً.
Wystąpił błąd. Spróbuj ponownie.
Bir hata oluştu. Lütfen tekrar deneyin.
<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>
<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>
"""


@pytest.mark.parametrize("text", MESSAGES.strip().split("\n"))
def test_a_message_in_place_of_an_answer_is_known(text):
    assert is_error_text(text, PROMPT, "research")


@pytest.mark.parametrize(
    ("task", "prompt", "text"),
    [
        ("research", "What does 503 mean?", "Error 503 means that a server is not available."),
        ("general", "Which HTTP status is for a missing page?", "404 Not Found"),
        ("general", "Write an error message for our shop", "Something went wrong. Try again."),
        ("general", "Translate: 'An error occurred.'", "Ein Fehler ist aufgetreten."),
        ("extraction", "The message in 'GET / Error: ECONNREFUSED'", "Error: ECONNREFUSED"),
        ("extraction", "Status of 'HTTP/1.1 503 Service Unavailable'", "Service Unavailable"),
        ("classification", "Rate limit exceeded, or timeout? '429'", "Rate limit exceeded"),
        ("code_generation", "Make a page", "<html><head><title>Shop</title></head></html>"),
        ("general", "Write a 404 page", "<html><head><title>404 Not Found</title></head></html>"),
        ("research", PROMPT, "Errors in tide tables are small: 5 cm at most."),
    ],
)
def test_a_text_about_errors_is_an_answer(task, prompt, text):
    assert not is_error_text(text, prompt, task)


def test_a_service_that_asks_to_try_again_fails_also_where_errors_are_the_matter():
    text = "Rate limit exceeded. Please wait 20 seconds and try again."
    assert is_error_text(text, "Classify this log line: 'error: disk full'", "classification")


@pytest.mark.parametrize(
    "value",
    [
        {"error": {"message": "Overloaded", "type": "server_error", "code": None}},
        {"error": "rate_limit_exceeded"},
        {"message": "Service Unavailable", "status": 503},
        {"detail": "Internal Server Error"},
        {"type": "error", "error": {"type": "overloaded_error"}},
        [{"error": {"code": 503, "message": "The model is overloaded."}}],
    ],
)
def test_a_providers_error_json_is_known(value):
    assert is_error_json(value, PROMPT)


@pytest.mark.parametrize(
    ("prompt", "value"),
    [
        ("JSON of: 'timeout, code 504'", {"error": "timeout", "code": 504}),
        (PROMPT, {"message": "hello", "type": "greeting"}),
        (PROMPT, {"error": None, "result": 4}),
        (PROMPT, {"status": 200, "message": "ok"}),
        (PROMPT, {}),
        (PROMPT, []),
        (PROMPT, 503),
    ],
)
def test_json_that_was_asked_for_or_tells_of_no_error_is_none(prompt, value):
    assert not is_error_json(value, prompt), json.dumps(value)
