"""The court bundle: make one file that proves offline what was received and what happened to it, and judge one."""

from counterfoil.engines.bundle.build import Payload, finish, payload
from counterfoil.engines.bundle.facts import (
    BundleFacts,
    ChargeFacts,
    DefendantFacts,
    EventFacts,
    ExhibitFacts,
    LogFacts,
    Member,
    OutcomeFacts,
    RecordedFacts,
    ScheduleFacts,
    ScheduleItem,
    StampFacts,
    StatementFacts,
    WorkingFacts,
)
from counterfoil.engines.bundle.history import KeyPeriod, key_history, read_history
from counterfoil.engines.bundle.identity import Identity, make_development_identity
from counterfoil.engines.bundle.page import page, program
from counterfoil.engines.bundle.seal import Seal
from counterfoil.engines.bundle.verify import verify
from counterfoil.engines.bundle.words import Check, Verdict, render

__all__ = [
    "BundleFacts",
    "ChargeFacts",
    "Check",
    "DefendantFacts",
    "EventFacts",
    "ExhibitFacts",
    "Identity",
    "KeyPeriod",
    "LogFacts",
    "Member",
    "OutcomeFacts",
    "Payload",
    "RecordedFacts",
    "ScheduleFacts",
    "ScheduleItem",
    "Seal",
    "StampFacts",
    "StatementFacts",
    "Verdict",
    "WorkingFacts",
    "finish",
    "key_history",
    "make_development_identity",
    "page",
    "payload",
    "program",
    "read_history",
    "render",
    "verify",
]
