"""Which column is what: proposed from headings in several languages, else from what the cells hold."""

import re
from collections.abc import Iterable, Mapping, Sequence

from aerostic.core.errors import Invalid
from aerostic.domain.contacts import phones
from aerostic.domain.contacts.models import ContactAttribute
from aerostic.domain.contacts.words import fold

IGNORE = "ignore"
PHONE = "phone"
ATTRIBUTE = "attribute:"
TARGETS = (PHONE, "name", "first_name", "last_name", "email", "language", "country", "tags", IGNORE)

_HEADINGS = {
    PHONE: """phone phonenumber phoneno mobile mobilephone mobilenumber mobileno whatsapp whatsappnumber cell
        cellphone tel telephone telephonenumber msisdn waid number contactnumber telefon telefonnummer
        handy handynummer mobil mobilnummer mobiltelefon rufnummer telefono telefonomovil movil celular
        numero numerodetelefono cellulare telefone telemovel numerodetelephone portable mobielnummer
        telefoonnummer gsm cep ceptelefonu телефон номер 电话 手机 手机号 電話 電話番号 携帯
        هاتف الهاتف جوال""",
    "name": """name fullname contact contactname displayname customername customer client kunde kundenname
        vollstandigername nom nomcomplet nombre nombrecompleto nome nomecompleto naam volledigenaam
        adsoyad isim имя фио 姓名 名字 名前 氏名 الاسم""",
    "first_name": """firstname givenname forename vorname prenom primernombre nombredepila primeironome
        voornaam ad""",
    "last_name": """lastname surname familyname nachname familienname nomdefamille apellido apellidos cognome
        sobrenome apelido achternaam soyad""",
    "email": """email emailaddress mail emailadresse mailadresse correo correoelectronico courriel
        adressemail adresseemail indirizzoemail eposta почта 邮箱 メール""",
    "language": "language lang locale sprache langue idioma lingua taal dil язык 语言 言語",
    "country": "country countrycode land pays pais paese nazione ulke страна 国家 国",
    "tags": """tags tag labels label groups group gruppe gruppen schlagworte etiketten etiquetas etiquettes
        etichette categorias category kategorie groupmembership""",
}
_TARGET_OF = {fold(word): target for target, words in _HEADINGS.items() for word in words.split()}


def propose(
    columns: Sequence[str],
    sample: Sequence[Sequence[str]],
    attributes: Iterable[ContactAttribute],
) -> list[str]:
    """A target for each column; each but `ignore` at most once."""
    by_label = {
        _bare(label): f"{ATTRIBUTE}{one.key}"
        for one in attributes
        for label in (one.label, one.key)
    }
    proposed: list[str] = []
    for column in columns:
        target = by_label.get(_bare(column)) or _TARGET_OF.get(_bare(column), IGNORE)
        proposed.append(IGNORE if target in proposed else target)
    if PHONE not in proposed:
        _take_the_column_of_numbers(proposed, sample)
    return proposed


def check(
    mapping: Sequence[str], columns: Sequence[str], attributes: Mapping[str, ContactAttribute]
) -> list[str]:
    """The mapping as it may be stored. Raises Invalid with what to change."""
    if len(mapping) != len(columns):
        raise Invalid("mapping", f"Say for each of the {len(columns)} columns what it is.")
    allowed = {*TARGETS, *(f"{ATTRIBUTE}{key}" for key in attributes)}
    for target, column in zip(mapping, columns, strict=True):
        if target not in allowed:
            raise Invalid("mapping", f"“{column}” can not become “{target[:60]}”.")
        if target != IGNORE and list(mapping).count(target) > 1:
            raise Invalid("mapping", f"Two columns are meant to become {target.replace('_', ' ')}.")
    if PHONE not in mapping:
        raise Invalid("mapping", "Choose the column that holds the phone numbers.")
    return list(mapping)


def _bare(heading: str) -> str:
    return re.sub(r"[\W_]+", "", fold(heading))


def _take_the_column_of_numbers(proposed: list[str], sample: Sequence[Sequence[str]]) -> None:
    for index, target in enumerate(proposed):
        cells = [row[index] for row in sample if index < len(row) and row[index]]
        numbers = sum(map(phones.looks_like_one, cells))
        if target == IGNORE and cells and numbers >= 0.6 * len(cells):
            proposed[index] = PHONE
            return
