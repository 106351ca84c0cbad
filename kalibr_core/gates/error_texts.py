"""Error messages, error JSON, error pages and tracebacks that came in place of an answer."""

from __future__ import annotations

import re
from collections.abc import Mapping

from .json_text import parse
from .refusals import folded

HEAD = 200
LONGEST = 900

MESSAGE = re.compile(
    r"(?:(?:http(?:/\d\.\d)?|error(?: code)?|status(?: code)?)[ :]*)?(?:4\d\d"
    r"|5\d\d) ?[:\-–]? ?(?:bad gateway|bad request"
    r"|service (?:temporarily )?unavailable|gateway time-?out|internal server error"
    r"|too many requests|unauthorized|forbidden"
    r"|not found|overloaded|request time-?out|payload too large|conflict|client error|server error)"
    r"|(?:http(?:/\d\.\d)? |error:? ?code:? ?|http error:? ?|error:? )(?:4\d\d|5\d\d)\b"
    r"|bad gateway|gateway time-?out|internal server error|too many requests"
    r"|service (?:is )?(?:temporarily |currently )?unavailable"
    r"|upstream (?:connect error|request time-?out|error)|no healthy upstream|request timed out"
    r"|connection (?:error|refused|reset|timed out)"
    r"|(?:api )?rate limit (?:reached|exceeded|error)|ratelimiterror|you(?:'ve"
    r"| have)? exceeded your|quota exceeded|insufficient_quota"
    r"|(?:incorrect|invalid) api key|authentication (?:failed|error)|(?:the |this |that "
    r"|our )?(?:model|server|engine|service|system|api)s?(?: `?[\w./-]+`?)?"
    r" (?:is |are |does |has |have )?(?:currently |temporarily )?(?:overloaded|unavailable"
    r"|not available|not exist|busy|had an error|experiencing|at capacity)"
    r"|(?:this model's|the) maximum context length|context[_ ]length[_ ]exceeded"
    r"|(?:sorry, |oops[!,.]? |apologies, )?(?:an |a |there was an "
    r"|there has been an )(?:unexpected |internal |unknown |network |server |error )*"
    r"error (?:occurred|has occurred|while|processing|generating|communicating|in|with your)"
    r"|(?:oops[!,.]? |sorry[!,.]? (?:but )?)?something went wrong|(?:the|your|this) (?:request"
    r"|response|message|query) (?:could not|cannot|can't|couldn't) be"
    r"|(?:sorry[,.]? )?(?:but )?(?:i|we)(?:'ve| have)? (?:encountered|ran into|hit"
    r"|experienced) (?:an?|some)|no response (?:from|received|was)|\[?error\]? ?[:\-\]]"
    r"|response (?:generation )?failed|(?:we(?:'re| are)|i(?:'m"
    r"| am)) (?:currently )?experiencing (?:high|technical|heavy|issues|an)"
    r"|(?:failed|unable) to (?:fetch|connect|generate|process your|complete your|reach"
    r"|get a? ?response)"
    r"|error (?:communicating with|generating|processing|calling|while|from|in (?:message"
    r"|upstream))"
    r"|(?:openai|anthropic|litellm|httpx|requests|botocore|google|groq|langchain|aiohttp"
    r"|urllib3)\.[\w.]*(?:error|exception)"
    r"|(?:exception|fatal|error|err)\s?: |econn(?:refused|reset)|etimedout"
    r"|context deadline exceeded|stream error|time-?out (?:while|waiting|error|exceeded|after)"
    r"|https?connectionpool|typeerror: |fetch failed"
    r"|socket hang up|(?:[a-z]+\.)*[a-z]{2,}(?:error|exception): |error\[\w+\]"
    r"|cuda (?:out of memory|error)|out of memory|segmentation fault"
    r"|(?:es ist )?ein (?:interner |unerwarteter )?(?:server)?fehler|interner serverfehler"
    r"|(?:der )?(?:dienst|server|service) ist (?:derzeit|zurzeit|momentan|vorübergehend)"
    r"|une erreur|erreur (?:interne|\d|serveur)"
    r"|(?:le )?service (?:est )?(?:temporairement )?indisponible|(?:se )?(?:ha )?(?:producido"
    r"|ocurrido|ocurrió|produjo) un error"
    r"|error interno|(?:el )?servicio no (?:está )?disponible|ocorreu um erro|erro interno"
    r"|(?:o )?serviço (?:está )?(?:temporariamente )?indisponível"
    r"|si è verificato un errore|errore (?:interno|del server|\d)|servizio (?:momentaneamente "
    r"|temporaneamente )?non disponibile"
    r"|er is (?:een|iets) (?:\w+ )?(?:fout|mis)|interne serverfout|wystąpił (?:\w+ )?błąd"
    r"|(?:wewnętrzny )?błąd (?:serwera|wewnętrzny|\d)|usługa (?:jest )?(?:tymczasowo )?niedostępna"
    r"|(?:произошла|возникла) (?:\w+ )?ошибка|(?:внутренняя )?ошибка (?:сервера|\d)"
    r"|сервис (?:временно )?недоступен|(?:bir |beklenmeyen bir )hata oluştu|sunucu hatası"
    r"|dahili sunucu"
    r"|(?:发生|出现)(?:了)?(?:\w{0,4})(?:错误|异常)|(?:系统|服务|服务器|网络)(?:当前|暂时|目前)?(?:繁忙|错误|不可用|异常|内部错误|超时"
    r"|开小差)|请求(?:过于频繁|超时|失败|过多)|内部(?:服务器)?错误|錯誤"
    r"|(?:内部)?(?:サーバー)?エラーが発生|(?:内部)?サーバー(?:内部)?エラー|(?:現在)?(?:サービス|サーバー)(?:は|が)(?:現在|一時的に|混)"
    r"|(?:내부 )?(?:서버 )?오류가 발생|(?:내부 )?서버 오류|서비스를? (?:일시적|사용할 수)"
    r"|حدث خطأ|خطأ (?:في الخادم|داخلي|\d)|الخدمة غير متاحة|(?:एक )?(?:आंतरिक )?(?:सर्वर )?त्रुटि"
    r"|सेवा (?:अस्थायी|उपलब्ध)"
)
TO_THE_CALLER = re.compile(
    r"try again|retry (?:your|the) request|please (?:retry|wait|contact (?:us|support))|request id"
    r"|your (?:plan|quota|billing|api key|organization)"
    r"|erneut|réessay|intént|inténtelo|tente novamente|riprova|probeer|spróbuj|попробуйте"
    r"|повторите|稍后|稍後|再试|もう一度|後ほど|다시 시도|لاحق|फिर|tekrar deneyin"
)
"""What a failing service asks of its caller, and an article about failures does not."""
WRITES = re.compile(
    r"writ|draft|translat|rephras|suggest|\bword|copy|message for|schreib|formulier|übersetz|rédig"
    r"|écri|tradui|escrib|redact|traduc|escrev"
    r"|scriv|tradu|schrijf|vertaal|napisz|напиш|перевед|写|翻译|訳|書|작성|번역|اكتب|ترجم|लिख|अनुवाद|yaz"
    r"|çevir"
)
EXPLAINS = re.compile(
    r"['\"”»:]* (?:is (?!\d)|means?|indicates?|occurs?|happens?|refers?|signals?|stands|usually"
    r"|typically|tells|bedeutet|heißt|signifie|significa|означает)"
)
STACK = re.compile(
    r"\s*(?:traceback \(most recent call last\)|exception in thread|unhandled (?:exception"
    r"|rejection)|goroutine \d+ \[|thread '\w+' panicked)"
)
PAGE = re.compile(r"\s*(?:<\?xml[^>]*>\s*)?(?:<!doctype html|<html|<head|<title|<h1)")
PAGE_ERROR = re.compile(
    r"<(title|h1)[^>]*>[^<]{0,60}(?:\b[45]\d\d\b|error|bad gateway|unavailable|time-?out|denied"
    r"|just a moment|forbidden|attention required|not found)"
    r"|cloudflare|<center>nginx"
)
XML_ERROR = re.compile(r"\s*(?:<\?xml[^>]*>\s*)?<(?:error|errorresponse|fault|soap[\w-]*:fault)>")
ABOUT_ERRORS = re.compile(
    r"error|exception|traceback|\bhttps?\b(?!:)|status code|\blogs?\b|outage|incident|fehler"
    r"|störung|erreur|errore|erro\b|fout|błąd"
    r"|ошибк|错误|錯誤|异常|エラー|오류|خطأ|त्रुटि|\bhata|\b[45]\d\d\b|unavailable"
    r"|timed? ?out|gateway"
    r"|rate limit"
)
ENVELOPE = (
    "error errors message msg code status statuscode status_code type detail details request_id"
    " requestid param timestamp path object success ok title instance trace traceid error_code"
    " error_message error_description errortype reason"
)
ERROR_KEYS = frozenset(ENVELOPE.split())


def is_error_text(text: str, prompt: str, task: str) -> bool:
    """Is all of `text` the message of a failing service? Text about errors is not."""
    first = text[:1]
    if first in "{[":
        return False
    if first == "<":
        return _is_page(text, prompt, task)
    head = folded(text, HEAD)
    if STACK.match(head):
        return not _is_wanted(head, prompt, task, bare=False)
    if len(text) > LONGEST:
        return False
    match = MESSAGE.match(head)
    if match is None or EXPLAINS.match(head, match.end()):
        return False
    return not _is_wanted(head, prompt, task, bare=len(text) - match.end() < 60)


def _is_wanted(head: str, prompt: str, task: str, *, bare: bool) -> bool:
    """The prompt holds this message, or is about errors and gets more than a bare message."""
    asked = folded(prompt, 20_000)
    if head[:30].rstrip(". ") in asked:
        return True
    if not ABOUT_ERRORS.search(asked):
        return False
    if TO_THE_CALLER.search(head):
        return task != "code_generation" and bool(WRITES.search(asked))
    return task in ("classification", "extraction", "general") or not bare


def _is_page(text: str, prompt: str, task: str) -> bool:
    head = text[:3000].casefold()
    if XML_ERROR.match(head):
        return not ABOUT_ERRORS.search(prompt.casefold())
    if not PAGE.match(head) or not PAGE_ERROR.search(head):
        return False
    asked = prompt[:20_000].casefold()
    return not ABOUT_ERRORS.search(asked) or task not in (
        "code_generation",
        "extraction",
        "general",
    )


def is_error_json(value: object, prompt: str) -> bool:
    """Does parsed JSON have the shape of a provider's error, and none of the prompt's matter?"""
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if not isinstance(value, dict) or not value or len(value) > 10:
        return False
    keys = {str(key).casefold() for key in value}
    if not keys <= ERROR_KEYS or not _says_error(value, keys):
        return False
    message = _message(value)
    return not message or folded(message, 40) not in folded(prompt, 20_000)


def _says_error(value: Mapping[str, object], keys: set[str]) -> bool:
    if any(value.get(key) for key in ("error", "errors", "error_code", "error_message")):
        return True
    if value.get("type") == "error" or value.get("object") == "error":
        return True
    codes = (value.get(key) for key in ("code", "status", "statusCode", "status_code"))
    if any(isinstance(code, int) and 400 <= code < 600 for code in codes):
        return bool(keys & {"message", "detail", "msg", "title"})
    return keys <= {"detail", "message", "msg"} and bool(
        MESSAGE.match(folded(_message(value), HEAD))
    )


def _message(value: Mapping[str, object]) -> str:
    inner = value.get("error", value)
    if isinstance(inner, str):
        return inner
    if isinstance(inner, Mapping):
        return next(
            (v for k in ("message", "detail", "msg") if isinstance(v := inner.get(k), str)), ""
        )
    return ""


def holds_error_json(text: str, prompt: str) -> bool:
    """An error object, also behind a prefix such as `Error code: 429 - `."""
    return (
        text.startswith(("{", "["))
        and len(text) < 4000
        and is_error_json(parse(text).value, prompt)
    )
