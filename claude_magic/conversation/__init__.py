"""Turns that are remembered: conversations by name, and what the next request replays of them."""

from .conversation import Conversation, Plan, Turn
from .conversations import Conversations

__all__ = ["Conversation", "Conversations", "Plan", "Turn"]
