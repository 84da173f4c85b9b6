// A phone on the screen: be one of the people who write to the business. Talks to the simulator directly.
import React from "react";
import { ActionsOf, Bubble } from "./phone_bubble.jsx";
import { Avatar, Icon, Sheet, Ticks, ask, dayOf, inOneLine, timeOf } from "./phone_parts.jsx";
import { TroubleDrawer } from "./phone_trouble.jsx";
import "./phone.css";

const KEPT = "aerostic.phone";
const EMOJI = "😀 😄 😂 🤣 😊 😍 😘 😎 🤔 😅 😢 😭 😡 😴 🤗 🙄 👍 👎 👏 🙏 💪 👋 🤝 👀 ❤️ 💛 💚 💙 🔥 ✨ 🎉 🎁 ☕ 🍰 🥐 🍕 🍎 🌮 🌞 🌧️ 🌈 ⭐ 🚗 ✈️ 🏠 📦 📷 🎵 ✅ ❌ ❓ ❗".split(" ");
const ATTACHMENTS = [
  ["image", "image", "Photo", "image/jpeg,image/png"],
  ["video", "video", "Video", "video/mp4,video/3gpp"],
  ["audio", "mic", "Voice note", "audio/*"],
  ["document", "file", "Document", "*/*"],
  ["sticker", "sticker", "Sticker", "image/webp"],
];

const remembered = () => {
  try {
    return JSON.parse(localStorage.getItem(KEPT)) || {};
  } catch {
    return {};
  }
};

/** The clock of WhatsApp's side, ticking here between the times that the simulator tells it. */
function useClock(base) {
  const [told, setTold] = React.useState({ now: Date.now() / 1000, offset_seconds: 0 });
  const [, tick] = React.useReducer((count) => count + 1, 0);
  const read = React.useCallback(() => ask(base, "GET", "clock").then(setTold, () => undefined), [base]);
  React.useEffect(() => {
    read();
    const timer = setInterval(tick, 15000);
    return () => clearInterval(timer);
  }, [read]);
  return [{ now: Date.now() / 1000 + told.offset_seconds, offset_seconds: told.offset_seconds }, setTold, read];
}

/** Live events of one person, told to `hear` and to every listener one by one; "back" whenever the line is there (again). */
function useEvents(base, personId, hear, listeners) {
  const latest = React.useRef(hear);
  latest.current = hear;
  const [isLive, setLive] = React.useState(true);
  React.useEffect(() => {
    const tell = (kind, event) => {
      latest.current(kind, event);
      listeners.current.forEach((listen) => listen(kind, event));
    };
    const line = new EventSource(`${base}/events${personId ? `?person_id=${personId}` : ""}`);
    line.onopen = () => {
      setLive(true);
      tell("back", {});
    };
    line.onerror = () => setLive(false);
    for (const kind of ["message", "status", "read", "typing", "clock", "person", "reset"]) {
      line.addEventListener(kind, (event) => tell(kind, JSON.parse(event.data)));
    }
    return () => line.close();
  }, [base, personId, listeners]);
  return isLive;
}

/** Run `hear` for each event while the component is there. */
function useListener(listeners, hear) {
  const latest = React.useRef(hear);
  latest.current = hear;
  React.useEffect(() => {
    const listen = (kind, event) => latest.current(kind, event);
    const all = listeners.current;
    all.add(listen);
    return () => all.delete(listen);
  }, [listeners]);
}

export function Phone({ base = "/simulator/control", compact = false }) {
  const [personId, setPersonId] = React.useState(() => remembered().personId ?? null);
  const [numberId, setNumberId] = React.useState(() => remembered().numberId ?? null);
  const [people, setPeople] = React.useState(null);
  const [numbers, setNumbers] = React.useState([]);
  const [chats, setChats] = React.useState([]);
  const [fault, setFault] = React.useState("");
  const [hasTrouble, setTrouble] = React.useState(false);
  const listeners = React.useRef(new Set());
  const [clock, setClock, readClock] = useClock(base);
  const person = people?.find((each) => each.id === personId);
  const number = numbers.find((each) => each.id === numberId);
  const failed = React.useCallback((problem) => setFault(problem.message), []);

  const readPeople = React.useCallback(async () => {
    try {
      const [listed, known] = await Promise.all([ask(base, "GET", "people"), ask(base, "GET", "numbers")]);
      setPeople(listed.people);
      setNumbers(known.numbers);
      setFault("");
    } catch (problem) {
      failed(problem);
    }
  }, [base, failed]);
  const readChats = React.useCallback(async () => {
    if (!personId) return;
    try {
      setChats((await ask(base, "GET", `people/${personId}/chats`)).chats);
    } catch {
      setChats([]);
    }
  }, [base, personId]);

  React.useEffect(() => {
    readPeople();
  }, [readPeople]);
  React.useEffect(() => {
    readChats();
  }, [readChats, numberId]);
  React.useEffect(() => {
    localStorage.setItem(KEPT, JSON.stringify({ personId, numberId }));
  }, [personId, numberId]);

  const isLive = useEvents(
    base,
    personId,
    (kind, event) => {
      if (kind === "clock") setClock(event);
      if (["reset", "person", "back"].includes(kind)) readPeople();
      if (["reset", "back"].includes(kind)) readClock();
      if (["message", "status", "reset", "back"].includes(kind)) readChats();
    },
    listeners,
  );

  let screen = <PeopleScreen base={base} people={people} onPick={setPersonId} onMade={readPeople} onFault={failed} />;
  if (person && number) {
    screen = (
      <ChatScreen key={`${person.id}/${number.id}`} base={base} person={person} number={number} clock={clock} listeners={listeners} onBack={() => setNumberId(null)} onFault={failed} />
    );
  } else if (person) {
    screen = <ChatsScreen person={person} numbers={numbers} chats={chats} clock={clock} onPick={setNumberId} onBack={() => setPersonId(null)} />;
  }

  return (
    <section className={`phone ${compact ? "is-compact" : ""}`} aria-label="A customer’s phone (simulated)">
      <div className="phone-screen">
        <div className="phone-status">
          <span>{timeOf(clock.now)}</span>
          <span className="phone-status-right">
            {clock.offset_seconds > 0 && <span title="WhatsApp’s clock was moved forward">{`+${Math.round(clock.offset_seconds / 3600)} h`}</span>}
            {person && !person.is_reachable && <span className="phone-off"><Icon name="off" size={14} /> off</span>}
            <Icon name="signal" size={14} />
            <button type="button" className="phone-trouble" onClick={() => setTrouble(true)}><Icon name="bolt" size={14} /> Trouble</button>
          </span>
        </div>
        {!isLive && people && <p className="phone-fault" role="status">The simulator does not answer. Trying again…</p>}
        {fault && (
          <p className="phone-fault" role="alert">
            <span>{fault}</span>
            <button type="button" className="phone-round" aria-label="Dismiss" onClick={() => setFault("")}><Icon name="close" size={16} /></button>
          </p>
        )}
        {screen}
        {hasTrouble && (
          <TroubleDrawer base={base} person={person} number={number} clock={clock} onClose={() => setTrouble(false)} onFault={failed} onPerson={(changed) => setPeople((all) => all.map((each) => (each.id === changed.id ? changed : each)))} />
        )}
      </div>
    </section>
  );
}

function PeopleScreen({ base, people, onPick, onMade, onFault }) {
  const [search, setSearch] = React.useState("");
  const [isNew, setNew] = React.useState(false);
  const wanted = search.trim().toLowerCase();
  const shown = (people || []).filter((each) => [each.name, each.phone, each.username].some((field) => field?.toLowerCase().includes(wanted)));
  return (
    <div className="phone-page">
      <header className="phone-top">
        <div className="phone-title">
          <h1>Whose phone is this?</h1>
          <p className="phone-small">Choose whom to be</p>
        </div>
        <button type="button" className="phone-round" aria-label="New person" onClick={() => setNew(true)}><Icon name="plus" /></button>
      </header>
      <label className="phone-search">
        <Icon name="search" size={18} />
        <input type="search" placeholder="Search people" aria-label="Search people" value={search} onChange={(event) => setSearch(event.target.value)} />
      </label>
      {people === null && <p className="phone-empty">Looking for people…</p>}
      {people !== null && shown.length === 0 && <p className="phone-empty">Nobody by that name. Make someone new with the plus sign.</p>}
      <ul className="phone-list">
        {shown.map((each) => (
          <li key={each.id}>
            <button type="button" onClick={() => onPick(each.id)}>
              <Avatar name={each.name} />
              <span className="phone-line">
                <strong>{each.name}</strong>
                <span className="phone-small">{each.phone ? `+${each.phone}` : `@${each.username} · no phone number shown`}</span>
              </span>
            </button>
          </li>
        ))}
      </ul>
      {isNew && <NewPerson base={base} onClose={() => setNew(false)} onFault={onFault} onMade={async (made) => { await onMade(); setNew(false); onPick(made.id); }} />}
    </div>
  );
}

function NewPerson({ base, onClose, onMade, onFault }) {
  const [wanted, setWanted] = React.useState({ name: "", phone: "", username: "" });
  const [problem, setProblem] = React.useState("");
  const type = (field) => (event) => setWanted({ ...wanted, [field]: event.target.value });
  const make = async (event) => {
    event.preventDefault();
    try {
      await onMade(await ask(base, "POST", "people", wanted));
    } catch (refusal) {
      setProblem(refusal.message);
      onFault({ message: "" });
    }
  };
  return (
    <Sheet label="New person" onClose={onClose}>
      <form className="phone-fields" onSubmit={make}>
        <label>Name<input data-first value={wanted.name} onChange={type("name")} required maxLength={80} autoComplete="off" /></label>
        <label>Phone number<input type="tel" placeholder="+44 7700 900123" value={wanted.phone} onChange={type("phone")} autoComplete="off" /></label>
        <label>Username<input placeholder="only this: a person without a number" value={wanted.username} onChange={type("username")} autoComplete="off" /></label>
        {problem && <p className="phone-problem" role="alert">{problem}</p>}
        <button type="submit" className="phone-main">Be this person</button>
      </form>
    </Sheet>
  );
}

function ChatsScreen({ person, numbers, chats, clock, onPick, onBack }) {
  const rows = [...numbers].map((number) => ({ number, chat: chats.find((chat) => chat.number_id === number.id) }));
  rows.sort((one, other) => (other.chat?.last.position || 0) - (one.chat?.last.position || 0));
  return (
    <div className="phone-page">
      <header className="phone-top">
        <button type="button" className="phone-round" aria-label="Be someone else" onClick={onBack}><Icon name="back" /></button>
        <Avatar name={person.name} size={38} />
        <div className="phone-title">
          <h1>{person.name}</h1>
          <p className="phone-small">{person.phone ? `+${person.phone}` : `@${person.username}`}</p>
        </div>
      </header>
      <h2 className="phone-caption">Businesses</h2>
      <ul className="phone-list">
        {rows.map(({ number, chat }) => (
          <li key={number.id}>
            <button type="button" onClick={() => onPick(number.id)}>
              <Avatar name={number.name} />
              <span className="phone-line">
                <span className="phone-both"><strong>{number.name}</strong>{chat && <span className="phone-small">{dayOf(chat.last.at, clock.now) === "Today" ? timeOf(chat.last.at) : dayOf(chat.last.at, clock.now)}</span>}</span>
                <span className="phone-both">
                  <span className="phone-small phone-cut">
                    {chat?.last.direction === "inbound" && <Ticks status={chat.last.status} />}
                    {chat ? inOneLine(chat.last) : number.display}
                  </span>
                  {chat?.unread > 0 && <span className="phone-count" aria-label={`${chat.unread} unread`}>{chat.unread}</span>}
                </span>
              </span>
            </button>
          </li>
        ))}
      </ul>
      {numbers.length === 0 && <p className="phone-empty">No business has a number yet.</p>}
    </div>
  );
}

/** The chat's messages as this phone has them, kept fresh by events. */
function useChat(base, path, listeners, chatIs, onFault) {
  const [messages, setMessages] = React.useState(null);
  const [before, setBefore] = React.useState(null);
  const timer = React.useRef(0);
  const read = React.useCallback(async () => {
    try {
      const page = await ask(base, "GET", `${path}/messages`);
      setBefore((known) => known ?? page.before);
      setMessages((known) => {
        const oldest = page.messages[0]?.position ?? 0;
        return [...(known || []).filter((each) => each.position < oldest), ...page.messages];
      });
    } catch (problem) {
      onFault(problem);
    }
  }, [base, path, onFault]);
  const readOlder = async () => {
    try {
      const page = await ask(base, "GET", `${path}/messages?before=${before}`);
      setMessages((known) => [...page.messages, ...known]);
      setBefore(page.before ?? 0);
    } catch (problem) {
      onFault(problem);
    }
  };
  React.useEffect(() => {
    read();
    return () => clearTimeout(timer.current);
  }, [read]);
  useListener(listeners, (kind, event) => {
    if (kind === "reset") setMessages(null);
    if (kind === "status") setMessages((known) => known?.map((each) => (each.id === event.message_id ? { ...each, status: event.status } : each)) ?? null);
    const isOurs = ["message", "read"].includes(kind) && chatIs(event);
    if (isOurs || kind === "back" || kind === "reset" || kind === "status") {
      clearTimeout(timer.current);
      timer.current = setTimeout(read, kind === "status" ? 150 : 30);
    }
  });
  return { messages, before, read, readOlder };
}

/** Open while it is looked at: a hidden page does not read messages. */
function useOpenChat(base, path) {
  React.useEffect(() => {
    const tell = (isOpen) => fetch(`${base}/${path}/${isOpen ? "open" : "close"}`, { method: "POST", keepalive: true }).catch(() => undefined);
    const look = () => tell(!document.hidden);
    const leave = () => tell(false);
    look();
    document.addEventListener("visibilitychange", look);
    window.addEventListener("pagehide", leave);
    return () => {
      document.removeEventListener("visibilitychange", look);
      window.removeEventListener("pagehide", leave);
      leave();
    };
  }, [base, path]);
}

/** Whether the business types: until its next message, or as long as it said. */
function useTyping(listeners, chatIs, messages) {
  const [isTyping, setTyping] = React.useState(false);
  const timer = React.useRef(0);
  const count = messages?.filter((each) => each.direction === "outbound" && each.status !== "accepted").length ?? 0;
  React.useEffect(() => setTyping(false), [count]);
  React.useEffect(() => () => clearTimeout(timer.current), []);
  useListener(listeners, (kind, event) => {
    if (kind !== "typing" || !chatIs(event)) return;
    setTyping(true);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => setTyping(false), event.seconds * 1000);
  });
  return isTyping;
}

/** Stays at the newest message, also while pictures load, unless the person scrolled up; what they write themselves always shows. */
function useNewestInSight(talk, written) {
  const isPinned = React.useRef(true);
  React.useEffect(() => {
    const box = talk.current;
    const toEnd = () => isPinned.current && box.scrollTo({ top: box.scrollHeight });
    const onScroll = () => {
      isPinned.current = box.scrollHeight - box.scrollTop - box.clientHeight < 80;
    };
    const watch = new ResizeObserver(toEnd);
    watch.observe(box.firstElementChild);
    watch.observe(box);
    box.addEventListener("scroll", onScroll, { passive: true });
    return () => {
      watch.disconnect();
      box.removeEventListener("scroll", onScroll);
    };
  }, [talk]);
  React.useEffect(() => {
    isPinned.current = true;
    talk.current.scrollTo({ top: talk.current.scrollHeight });
  }, [talk, written]);
}

function ChatScreen({ base, person, number, clock, listeners, onBack, onFault }) {
  const path = `people/${person.id}/chats/${number.id}`;
  const chatIs = React.useCallback((event) => event.person_id === person.id && event.number_id === number.id, [person.id, number.id]);
  const { messages, before, read, readOlder } = useChat(base, path, listeners, chatIs, onFault);
  const isTyping = useTyping(listeners, chatIs, messages);
  const [sheet, setSheet] = React.useState(null);
  const [replyTo, setReplyTo] = React.useState(null);
  const [editing, setEditing] = React.useState(null);
  const talk = React.useRef(null);
  const composer = React.useRef(null);
  useOpenChat(base, path);

  const arrived = (messages || []).filter((each) => each.direction === "inbound" || ["delivered", "read", "played"].includes(each.status));
  useNewestInSight(talk, arrived.filter((each) => each.direction === "inbound").length);

  const say = async (wanted) => {
    try {
      await ask(base, "POST", `${path}/messages`, wanted);
      await read();
      return true;
    } catch (problem) {
      onFault(problem);
      return false;
    }
  };
  const act = {
    tap: (message, id) => say({ type: "button", message_id: message.id, id }),
    list: (message) => setSheet({ kind: "list", message }),
    flow: (message) => setSheet({ kind: "flow", message }),
    place: (message) => setSheet({ kind: "place", message }),
    menu: (message) => setSheet({ kind: "menu", message }),
    show: (url) => setSheet({ kind: "picture", url }),
    copy: (text) => navigator.clipboard?.writeText(text).catch(() => undefined),
    say: (text) => say({ type: "text", text }),
    react: (message, emoji) => say({ type: "reaction", message_id: message.id, emoji }),
    revoke: (message) => say({ type: "revoke", message_id: message.id }),
    played: (message) => message.direction === "outbound" && ask(base, "POST", `messages/${encodeURIComponent(message.id)}/played`).catch(onFault),
    reply: (message) => {
      setEditing(null);
      setReplyTo(message);
      composer.current?.focus();
    },
    edit: (message) => {
      setReplyTo(null);
      setEditing(message);
      composer.current?.focus();
    },
  };
  const closeSheet = () => setSheet(null);

  return (
    <div className="phone-page">
      <header className="phone-top">
        <button type="button" className="phone-round" aria-label="Back to chats" onClick={onBack}><Icon name="back" /></button>
        <Avatar name={number.name} size={38} />
        <div className="phone-title">
          <h1>{number.name}</h1>
          <p className="phone-small" aria-live="polite">{isTyping ? "typing…" : `${number.display} · as ${person.name}`}</p>
        </div>
      </header>
      <div className="phone-talk" role="log" aria-label={`Chat with ${number.name}`} tabIndex={0} ref={talk}>
        <ol className="phone-bubbles">
          {before > 0 && <li className="phone-note"><button type="button" onClick={readOlder}>Earlier messages</button></li>}
          {messages === null && <li className="phone-note">Opening the chat…</li>}
          {messages !== null && arrived.length === 0 && <li className="phone-note">{`Say hello to ${number.name}. What you write here arrives in their inbox.`}</li>}
          {arrived.map((message, at) => {
            const day = dayOf(message.at, clock.now);
            const earlier = arrived[at - 1];
            const isNewDay = !earlier || dayOf(earlier.at, clock.now) !== day;
            return (
              <React.Fragment key={message.id}>
                {isNewDay && <li className="phone-day"><span>{day}</span></li>}
                <Bubble base={base} message={message} act={act} isFirst={isNewDay || earlier.direction !== message.direction} quoted={message.context_id && !["button", "interactive"].includes(message.type) ? messages.find((each) => each.id === message.context_id) || {} : null} />
              </React.Fragment>
            );
          })}
          {isTyping && <li className="phone-row is-theirs is-first"><span className="phone-bubble phone-dots" role="img" aria-label="The business is typing"><i /><i /><i /></span></li>}
        </ol>
      </div>
      <Composer composer={composer} replyTo={replyTo} editing={editing} onAttach={() => setSheet({ kind: "attach" })}
        onCancel={() => { setReplyTo(null); setEditing(null); }}
        onVoice={() => say({ type: "audio" })}
        onSend={async (text) => {
          const wanted = editing ? { type: "edit", message_id: editing.id, text } : { type: "text", text, ...(replyTo ? { reply_to: replyTo.id } : {}) };
          const isSent = await say(wanted);
          if (isSent) {
            setReplyTo(null);
            setEditing(null);
          }
          return isSent;
        }}
      />
      {sheet?.kind === "menu" && <Sheet label="Message" onClose={closeSheet}><ActionsOf message={sheet.message} act={act} close={closeSheet} /></Sheet>}
      {sheet?.kind === "attach" && <Attach say={say} replyTo={replyTo} onClose={() => { closeSheet(); setReplyTo(null); }} />}
      {sheet?.kind === "list" && <Choose message={sheet.message} say={say} onClose={closeSheet} />}
      {sheet?.kind === "flow" && <FillForm message={sheet.message} say={say} onClose={closeSheet} />}
      {sheet?.kind === "place" && <Sheet label="Send location" onClose={closeSheet}><PlaceForm say={(wanted) => say({ ...wanted, reply_to: sheet.message.id })} onDone={closeSheet} /></Sheet>}
      {sheet?.kind === "picture" && <Sheet label="Picture" onClose={closeSheet} tall><img className="phone-large" src={sheet.url} alt="Full size" /></Sheet>}
    </div>
  );
}

function Composer({ composer, replyTo, editing, onSend, onAttach, onVoice, onCancel }) {
  const [text, setText] = React.useState("");
  const [hasEmoji, setEmoji] = React.useState(false);
  const [isBusy, setBusy] = React.useState(false);
  React.useEffect(() => {
    if (editing) setText(editing.content.text.body);
  }, [editing]);
  React.useLayoutEffect(() => {
    const box = composer.current;
    if (!box) return;
    box.style.height = "auto";
    box.style.height = `${Math.min(box.scrollHeight, 120)}px`;
  }, [text, composer]);
  const send = async () => {
    if (!text.trim() || isBusy) return;
    setBusy(true);
    const written = text;
    setText("");
    setEmoji(false);
    if (!(await onSend(written.trim()))) setText(written);
    setBusy(false);
    composer.current?.focus();
  };
  const cancel = () => {
    if (editing) setText("");
    onCancel();
  };
  const over = editing || replyTo;
  return (
    <footer className="phone-composer">
      {over && (
        <div className="phone-over">
          <span><b>{editing ? "Edit message" : `Reply to ${replyTo.direction === "inbound" ? "yourself" : "the business"}`}</b><span className="phone-cut">{inOneLine(over)}</span></span>
          <button type="button" className="phone-round" aria-label={editing ? "Cancel edit" : "Cancel reply"} onClick={cancel}><Icon name="close" size={18} /></button>
        </div>
      )}
      {hasEmoji && (
        <div className="phone-emoji" role="group" aria-label="Emoji">
          {EMOJI.map((emoji) => <button type="button" key={emoji} aria-label={`Insert ${emoji}`} onClick={() => { setText((now) => now + emoji); composer.current?.focus(); }}>{emoji}</button>)}
        </div>
      )}
      <div className="phone-write">
        <button type="button" className="phone-round" aria-label="Attach" onClick={onAttach}><Icon name="plus" /></button>
        <div className="phone-field">
          <textarea ref={composer} rows={1} value={text} placeholder="Message" aria-label="Message" onChange={(event) => setText(event.target.value)}
            onKeyDown={(event) => {
              if (event.key === "Enter" && !event.shiftKey && !event.nativeEvent.isComposing) {
                event.preventDefault();
                send();
              }
              if (event.key === "Escape" && over) cancel();
            }} />
          <button type="button" className="phone-round" aria-label="Emoji" aria-expanded={hasEmoji} onClick={() => setEmoji(!hasEmoji)}><Icon name="smile" /></button>
        </div>
        {text.trim() ? (
          <button type="button" className="phone-round is-main" aria-label="Send" onClick={send} disabled={isBusy}><Icon name="send" size={20} /></button>
        ) : (
          <button type="button" className="phone-round is-main" aria-label="Send a voice note" title="Send a voice note (a built-in one)" onClick={onVoice}><Icon name="mic" size={20} /></button>
        )}
      </div>
    </footer>
  );
}

function Attach({ say, replyTo, onClose }) {
  const [form, setForm] = React.useState(null);
  const [caption, setCaption] = React.useState("");
  const reply = replyTo ? { reply_to: replyTo.id } : {};
  const sendFile = async (kind, file) => {
    if (!file) return;
    const body = new FormData();
    body.append("type", kind);
    if (caption) body.append("caption", caption);
    if (replyTo) body.append("reply_to", replyTo.id);
    body.append("file", file);
    if (await say(body)) onClose();
  };
  const sendNow = (wanted) => async () => {
    if (await say({ ...wanted, ...reply })) onClose();
  };
  if (form === "place") return <Sheet label="Location" onClose={onClose}><PlaceForm say={(wanted) => say({ ...wanted, ...reply })} onDone={onClose} /></Sheet>;
  if (form === "contact") return <Sheet label="Contact" onClose={onClose}><ContactForm say={(wanted) => say({ ...wanted, ...reply })} onDone={onClose} /></Sheet>;
  if (form === "moved") return <Sheet label="New phone number" onClose={onClose}><MoveForm say={say} onDone={onClose} /></Sheet>;
  return (
    <Sheet label="Attach" onClose={onClose}>
      <label className="phone-search">
        <Icon name="edit" size={18} />
        <input data-first aria-label="Caption" placeholder="Caption for a photo, video or document" value={caption} onChange={(event) => setCaption(event.target.value)} />
      </label>
      <ul className="phone-attach">
        {ATTACHMENTS.map(([kind, icon, label, accept]) => (
          <li key={kind}>
            <span className="phone-attach-name"><Icon name={icon} /> {label}</span>
            <span className="phone-pills">
              <label className="phone-file">From a file<input type="file" accept={accept} aria-label={`${label} from a file`} onChange={(event) => sendFile(kind, event.target.files[0])} /></label>
              <button type="button" aria-label={`Sample ${label.toLowerCase()}`} onClick={sendNow({ type: kind, ...(caption ? { caption } : {}) })}>Sample</button>
            </span>
          </li>
        ))}
      </ul>
      <div className="phone-menu">
        <button type="button" onClick={() => setForm("place")}><Icon name="pin" /> Location</button>
        <button type="button" onClick={() => setForm("contact")}><Icon name="person" /> Contact</button>
        <button type="button" onClick={sendNow({ type: "order" })}><Icon name="cart" /> Order of two bags of beans</button>
        <button type="button" onClick={sendNow({ type: "text", text: "Hi! I saw your ad.", referral: true })}><Icon name="megaphone" /> Come from an ad</button>
        <button type="button" onClick={sendNow({ type: "unsupported" })}><Icon name="warn" /> Something unsupported</button>
        <button type="button" onClick={() => setForm("moved")}><Icon name="signal" /> Change phone number</button>
      </div>
    </Sheet>
  );
}

/** A small form: fields with labels, one button, and what it sends. */
function SmallForm({ fields, button, make, say, onDone }) {
  const [values, setValues] = React.useState(() => Object.fromEntries(fields.map(([name, , first]) => [name, first])));
  const send = async (event) => {
    event.preventDefault();
    if (await say(make(values))) onDone();
  };
  return (
    <form className="phone-fields" onSubmit={send}>
      {fields.map(([name, label, , isRequired]) => (
        <label key={name}>{label}<input value={values[name]} required={isRequired} autoComplete="off" onChange={(event) => setValues({ ...values, [name]: event.target.value })} /></label>
      ))}
      <button type="submit" className="phone-main">{button}</button>
    </form>
  );
}

const PlaceForm = ({ say, onDone }) => (
  <SmallForm say={say} onDone={onDone} button="Send location" make={(values) => ({ type: "location", ...values })}
    fields={[["name", "Name", "Central Station", false], ["address", "Address", "1 Station Square", false], ["latitude", "Latitude", "52.525084", true], ["longitude", "Longitude", "13.369402", true]]} />
);

const ContactForm = ({ say, onDone }) => (
  <SmallForm say={say} onDone={onDone} button="Send contact" make={(values) => ({ type: "contacts", ...values })}
    fields={[["name", "Name", "Robin Carter", true], ["phone", "Phone number", "+44 7700 900321", true]]} />
);

const MoveForm = ({ say, onDone }) => (
  <SmallForm say={say} onDone={onDone} button="Move to this number" make={(values) => ({ type: "changed_number", ...values })} fields={[["phone", "New phone number", "+44 7700 900456", true]]} />
);

function Choose({ message, say, onClose }) {
  const { action, header } = message.content.interactive;
  const pick = (id) => async () => {
    if (await say({ type: "list", message_id: message.id, id })) onClose();
  };
  return (
    <Sheet label={header?.text || action.button} onClose={onClose}>
      {action.sections.map((section, at) => (
        <div key={at}>
          {section.title && <h3 className="phone-caption">{section.title}</h3>}
          <div className="phone-menu">
            {section.rows.map((row) => (
              <button type="button" key={row.id} onClick={pick(row.id)}>
                <span className="phone-line"><strong>{row.title}</strong>{row.description && <span className="phone-small">{row.description}</span>}</span>
              </button>
            ))}
          </div>
        </div>
      ))}
    </Sheet>
  );
}

/** The simulator knows no flow's screens, so the answers are written as they will arrive. */
function FillForm({ message, say, onClose }) {
  const make = (values) => ({ type: "flow", message_id: message.id, answers: { [values.question]: values.answer } });
  return (
    <Sheet label={message.content.interactive.action.parameters.flow_cta} onClose={onClose}>
      <SmallForm say={say} onDone={onClose} button="Send the form" make={make} fields={[["question", "Field", "preferred_day", true], ["answer", "Answer", "Monday", true]]} />
    </Sheet>
  );
}
