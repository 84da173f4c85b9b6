"""Whom to leave alone, and the words by which people say so: ours until a workspace writes its own."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from aerostic.core.tenancy import Context
from aerostic.domain.audiences.models import Decision
from aerostic.domain.contacts.words import fold

# The whole message is the word, in any capitals: “stop” in a sentence is no decision.
STOP_WORDS = (
    "stop", "stopall", "unsubscribe", "opt out", "optout", "cancel subscription", "no more messages",
    "stopp", "abmelden", "abbestellen", "austragen",
    "arret", "arreter", "desabonner", "desinscrire", "stop pub",
    "baja", "parar", "alto", "cancelar suscripcion", "no molestar",
    "sair", "pare", "descadastrar", "cancelar inscricao",
    "annulla iscrizione", "disiscrivimi", "cancellami", "basta",
    "afmelden", "uitschrijven",
    "avregistrera", "avsluta", "afmeld", "avslutt",
    "wypisz", "rezygnuje", "стоп", "отписаться", "отпишись", "відписатися",
    "iptal", "abonelikten cik", "dur",
    "berhenti", "henti", "बंद", "रोकें", "বন্ধ",
    "إيقاف", "الغاء الاشتراك", "توقف", "הסר", "הסרה",
    "退订", "取消订阅", "停止", "配信停止", "수신거부",
)  # fmt: skip
START_WORDS = (
    "start", "unstop", "subscribe", "anmelden", "commencer", "reprendre", "alta", "suscribir",
    "inscrever", "iscrivimi", "aanmelden", "tilmeld", "zapisz", "старт", "подписаться",
    "підписатися", "basla", "mulai", "शुरू", "শুরু", "ابدأ", "اشتراك", "התחל", "订阅", "開始", "시작",
)  # fmt: skip
STOP_ANSWER = "You will get no more offers from us. Write START if you change your mind."
START_ANSWER = "Welcome back! You will hear from us again. Write STOP at any time to end it."
IN_DAYS = 7
UNDELIVERABLE_AFTER = 3
LONGEST_WORD = 60


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules of one workspace. Words as people wrote them down."""

    stop_words: tuple[str, ...] = STOP_WORDS
    start_words: tuple[str, ...] = START_WORDS
    stop_answer: str = STOP_ANSWER  # empty: no answer
    start_answer: str = START_ANSWER
    most_messages: int = 0  # marketing by campaigns to one person within `in_days`; 0: no limit
    in_days: int = IN_DAYS
    undeliverable_after: int = UNDELIVERABLE_AFTER  # failures in a row; 0: never left out

    def decision(self, text: str) -> Decision | None:
        """What the whole text of a message decides."""
        said = plain(text)
        if said in _plain_words(self.stop_words):
            return Decision.STOPPED
        return Decision.AGREED if said in _plain_words(self.start_words) else None


_OWN = """
    select stop_words, start_words, stop_answer, start_answer, most_messages, in_days,
        undeliverable_after
    from audience_rules where tenant_id = %s
"""


def of(ctx: Context) -> Rules:
    """The workspace's rules."""
    own = ctx.cursor().execute(_OWN, (ctx.tenant_id,), prepare=True).fetchone()
    if own is None:
        return Rules()
    stop_words, start_words, *others = own
    return Rules(tuple(stop_words), tuple(start_words), *others)


@lru_cache(maxsize=256)
def _plain_words(words: tuple[str, ...]) -> frozenset[str]:
    return frozenset(map(plain, words))


def plain(text: str) -> str:
    """A word as it is compared: no accents, capitals, quotes or marks around it."""
    return " ".join(fold(text).strip(" \t\n\"'“”„«».,!?¡¿*_~-").split())


def is_short(text: str) -> bool:
    """Whether a message can be one of the words at all; nearly none is."""
    return 0 < len(text) <= LONGEST_WORD


def cleaned(words: Iterable[str]) -> list[str]:
    """Words as they are stored: each once, in their order."""
    found = {plain(word): " ".join(word.split()) for word in words if plain(word)}
    return list(found.values())
