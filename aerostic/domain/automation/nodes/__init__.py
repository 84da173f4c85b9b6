"""Every kind of node, in the order of the palette. A kind that is not listed does not exist."""

from aerostic.domain.automation.nodes import (
    ai,
    ask,
    http,
    logic,
    responding,
    send,
    triggers,
    waiting,
)
from aerostic.domain.automation.nodes.base import Node

NODES: tuple[type[Node], ...] = (
    triggers.OnMessage,
    triggers.OnKeyword,
    triggers.OnChoice,
    triggers.OnFlowReply,
    triggers.OnReaction,
    triggers.OnWebhook,
    triggers.OnSchedule,
    triggers.OnNewContact,
    triggers.OnTag,
    triggers.OnNoReply,
    triggers.OnDemand,
    triggers.OnCall,
    send.SendText,
    ask.AskText,
    ask.AskNumber,
    ask.AskEmail,
    ask.AskDate,
    ask.AskChoice,
    logic.If,
    logic.Switch,
    logic.SetValues,
    logic.Loop,
    waiting.Wait,
    logic.SubWorkflow,
    logic.Split,
    logic.Stop,
    http.HttpRequest,
    responding.RespondToWebhook,
    ai.AskAgent,
    ai.UseGemini,
    ai.UseLocal,
    ai.Remember,
    ai.UseKnowledge,
    ai.SearchKnowledge,
    ai.StoreValue,
)

BY_KIND: dict[str, type[Node]] = {one.kind: one for one in NODES}
