"""Buttons below an answer in a notebook: what the user did with it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from kalibr_core.installing import command

from .feedback import decision_id_of, report_action

BUTTONS = {
    "used": "output_used_verbatim",
    "copied": "output_copied",
    "edited": "output_edited",
    "discarded": "output_discarded",
}
"""What stands on a button -> the action that it reports."""


def feedback_buttons(message: object) -> Any:
    """Four buttons that tell what you did with an answer: used, copied, edited, discarded.

    A click reports once, and shows what was reported; an error is shown, not raised.

    Args:
        message: an answer, as `report_action` takes it: the `AIMessage` that a `ChatKalibr` of this
            process gave, or a decision's id.

    Returns:
        An `ipywidgets.VBox`; a notebook shows it where it is a cell's last value.

    Raises:
        ImportError: ipywidgets is not installed.
        kalibr_core.ConfigError: it holds no decision.
    """
    widgets = _ipywidgets()
    decision_id_of(message)
    told = widgets.Label()
    buttons = [widgets.Button(description=name, tooltip=BUTTONS[name]) for name in BUTTONS]
    for button in buttons:
        button.on_click(_reporting(message, told, buttons))
    return widgets.VBox([widgets.HBox(buttons), told])


def _reporting(message: object, told: Any, buttons: Sequence[Any]) -> Callable[[Any], None]:
    def click(button: Any) -> None:
        if button.disabled:
            return  # clicked twice before the page knew
        action = BUTTONS[button.description]
        button.disabled = True
        try:
            moved = report_action(message, action)
        except Exception as error:  # noqa: BLE001  # a notebook shows no exception of a click
            button.disabled = False
            told.value = f"Not reported: {type(error).__name__}: {error}"
        else:
            told.value = f"Reported: {action}" if moved else f"Reported before: {action}"
            for other in buttons:  # of several, the newest counts
                other.disabled = other is button

    return click


def _ipywidgets() -> Any:
    try:
        import ipywidgets  # type: ignore[import-untyped]  # it has no types
    except ImportError as error:
        raise ImportError(f"feedback_buttons needs ipywidgets: {command('notebooks')}") from error
    return ipywidgets
