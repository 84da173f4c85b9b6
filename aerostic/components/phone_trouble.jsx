// The drawer in which the outside world goes wrong on demand, and in which time moves.
import React from "react";
import { Icon, Sheet, ask } from "./phone_parts.jsx";

const FAILURES = [
  [131026, "Undeliverable"],
  [131049, "Held back for a healthy ecosystem"],
  [131050, "Stopped marketing"],
  [131047, "Window closed"],
  [131056, "Too fast for one person"],
  [130429, "Too fast for the number"],
  [131016, "Service unavailable"],
  [131000, "Something went wrong"],
  [131042, "Payment issue"],
  [131031, "Account locked"],
  [132001, "Template missing"],
  [132015, "Template paused"],
  [368, "Blocked for a policy"],
  [190, "Token refused"],
];
const STEPS = [
  ["1 hour", 3600],
  ["24 hours", 86400],
  ["7 days", 604800],
];

/** Moves at once; what the simulator then says is what stays. */
function Switch({ label, hint, isOn, onChange }) {
  const [shown, setShown] = React.useState(isOn);
  React.useEffect(() => setShown(isOn), [isOn]);
  const flip = async (event) => {
    setShown(event.target.checked);
    if (!(await onChange(event.target.checked))) setShown(isOn);
  };
  return (
    <label className="phone-switch">
      <span>
        {label}
        {hint && <span className="phone-small">{hint}</span>}
      </span>
      <input type="checkbox" role="switch" checked={shown} onChange={flip} />
    </label>
  );
}

function Figure({ label, hint, value, least = 0, most, onChange }) {
  const [draft, setDraft] = React.useState(String(value));
  React.useEffect(() => setDraft(String(value)), [value]);
  const settle = () => {
    const figure = Math.round(Number(draft));
    if (draft.trim() === "" || !Number.isFinite(figure)) return setDraft(String(value));
    const bounded = Math.min(most, Math.max(least, figure));
    setDraft(String(bounded));
    if (bounded !== value) onChange(bounded);
  };
  return (
    <label className="phone-switch">
      <span>
        {label}
        {hint && <span className="phone-small">{hint}</span>}
      </span>
      <input type="number" inputMode="numeric" min={least} max={most} value={draft} onChange={(event) => setDraft(event.target.value)} onBlur={settle} onKeyDown={(event) => event.key === "Enter" && settle()} />
    </label>
  );
}

/** What Meta could decide about a template in this state: [path, words, body]. */
function decisionsOn(template) {
  const rest = [
    template.quality_score?.score === "RED" ? ["rate", "rate high", { quality: "GREEN" }] : ["rate", "rate low", { quality: "RED" }],
    template.category === "MARKETING" ? ["recategorise", "make utility", { category: "UTILITY" }] : ["recategorise", "make marketing", { category: "MARKETING" }],
  ];
  if (template.status === "APPROVED") return [["pause", "pause", {}], ["disable", "disable", {}], ["reject", "reject", {}], ...rest];
  if (template.status === "PAUSED") return [["reinstate", "reinstate", {}], ["disable", "disable", {}]];
  if (template.status === "DISABLED") return [["reinstate", "reinstate", {}]];
  return [["approve", "approve", {}], ["reject", "reject", {}]];
}

export function TroubleDrawer({ base, person, number, clock, onClose, onPerson, onFault }) {
  const [trouble, setTrouble] = React.useState(null);
  const [numbers, setNumbers] = React.useState([]);
  const [tokens, setTokens] = React.useState([]);
  const [templates, setTemplates] = React.useState([]);
  const [queue, setQueue] = React.useState({});
  const [failure, setFailure] = React.useState({ code: 131026, count: 1, mode: "async" });
  const [isSure, setSure] = React.useState(false);
  const chosen = numbers.find((each) => each.id === number?.id) || numbers[0];

  const read = React.useCallback(async () => {
    try {
      const [now, listed, known, made, waiting] = await Promise.all(
        ["trouble", "numbers", "tokens", "templates", "webhooks"].map((path) => ask(base, "GET", path)),
      );
      setTrouble(now);
      setNumbers(listed.numbers);
      setTokens(known.tokens);
      setTemplates(made.templates);
      setQueue(waiting.counts);
    } catch (fault) {
      onFault(fault);
    }
  }, [base, onFault]);
  React.useEffect(() => {
    read();
  }, [read]);

  const change = async (method, path, body) => {
    try {
      await ask(base, method, path, body);
      await read();
      return true;
    } catch (fault) {
      onFault(fault);
      return false;
    }
  };
  const set = (name) => (value) => change("POST", "trouble", { [name]: value });
  if (!trouble) return <Sheet label="Trouble" onClose={onClose} tall><p className="phone-empty">Reading the switches…</p></Sheet>;
  const token = tokens.find((each) => each.account_ids.includes(chosen?.account_id));
  const shown = templates.filter((each) => each.account_id === chosen?.account_id);
  const isOrdered = trouble.failures.length > 0;
  const waiting = (queue.PENDING || 0) + (queue.RETRYING || 0) + (queue.SENDING || 0);

  return (
    <Sheet label="Trouble" onClose={onClose} tall>
      <section aria-labelledby="phone-clock">
        <h3 id="phone-clock"><Icon name="clock" size={18} /> WhatsApp’s clock</h3>
        <p className="phone-clock">{new Date(clock.now * 1000).toLocaleString([], { weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" })}</p>
        <p className="phone-small">{clock.offset_seconds ? `${(clock.offset_seconds / 3600).toFixed(0)} hours ahead of this machine. It goes back when you start over.` : "The same as this machine’s."}</p>
        <div className="phone-pills">
          {STEPS.map(([label, seconds]) => (
            <button type="button" key={label} onClick={() => change("POST", "clock/advance", { seconds })}>{`+ ${label}`}</button>
          ))}
        </div>
      </section>

      {person && (
        <section aria-labelledby="phone-own">
          <h3 id="phone-own"><Icon name="person" size={18} /> {person.name}</h3>
          {[
            ["is_reachable", "Phone is on", "Off: messages wait with one tick."],
            ["has_whatsapp", "Has WhatsApp", "Without: error 131026."],
            ["refuses_marketing", "Refuses marketing", "Marketing fails with 131050."],
          ].map(([name, label, hint]) => (
            <Switch key={name} label={label} hint={hint} isOn={person[name]} onChange={async (isOn) => {
              try {
                onPerson(await ask(base, "PATCH", `people/${person.id}`, { [name]: isOn }));
                return true;
              } catch (fault) {
                onFault(fault);
                return false;
              }
            }} />
          ))}
        </section>
      )}

      <section aria-labelledby="phone-in">
        <h3 id="phone-in"><Icon name="reply" size={18} /> Towards the business</h3>
        <p className="phone-small" role="status">{waiting ? `${waiting} webhooks wait to be delivered.` : "Everything has been delivered."}</p>
        <Figure label="Duplicates" hint="Extra copies of each webhook" value={trouble.duplicates} most={20} onChange={set("duplicates")} />
        <Switch label="Reorder" hint="Updates leave in reverse" isOn={trouble.reorder} onChange={set("reorder")} />
        <Figure label="Batch size" hint="Updates that share a delivery" value={trouble.batch_size} least={1} most={1000} onChange={set("batch_size")} />
        <Figure label="Delay from (ms)" value={trouble.delay_min_ms} most={600000} onChange={set("delay_min_ms")} />
        <Figure label="Delay to (ms)" value={trouble.delay_max_ms} most={600000} onChange={set("delay_max_ms")} />
        <Switch label="Hold statuses back" hint="No ticks until this is off again" isOn={trouble.statuses_paused} onChange={set("statuses_paused")} />
      </section>

      <section aria-labelledby="phone-out">
        <h3 id="phone-out"><Icon name="send" size={18} /> When the business sends</h3>
        <div className="phone-fields">
          <label>Fail with
            <select value={failure.code} onChange={(event) => setFailure({ ...failure, code: Number(event.target.value) })}>
              {FAILURES.map(([code, words]) => <option key={code} value={code}>{`${code} · ${words}`}</option>)}
            </select>
          </label>
          <label>How
            <select value={failure.mode} onChange={(event) => setFailure({ ...failure, mode: event.target.value })}>
              <option value="async">later, by a status</option>
              <option value="sync">at once, in the answer</option>
            </select>
          </label>
          <label>Next sends
            <input type="number" min="1" max="100000" value={failure.count} onChange={(event) => setFailure({ ...failure, count: Math.max(1, Math.round(Number(event.target.value) || 1)) })} />
          </label>
          <button type="button" onClick={() => change("POST", "trouble", { failures: [...trouble.failures, failure] })}>Order failures</button>
        </div>
        {isOrdered && (
          <p className="phone-ordered">
            <span>{`Ordered: ${trouble.failures.map((each) => `${each.count} × ${each.code} ${each.mode === "sync" ? "at once" : "later"}`).join(", ")}`}</span>
            <button type="button" onClick={() => change("POST", "trouble", { failures: [] })}>Cancel them</button>
          </p>
        )}
        <Figure label="Lose answers" hint="Next sends whose HTTP answer never comes" value={trouble.drop_responses} most={100000} onChange={set("drop_responses")} />
        <Figure label="Late answers (ms)" hint="Statuses overtake them" value={trouble.response_delay_ms} most={60000} onChange={set("response_delay_ms")} />
        <Switch label="Pair limit" hint="45 at once, then one in 6 s per person" isOn={trouble.pair_limit} onChange={set("pair_limit")} />
        <Switch label="Strangers have WhatsApp" hint="Else unknown numbers are undeliverable" isOn={trouble.strangers_have_whatsapp} onChange={set("strangers_have_whatsapp")} />
        {chosen && <Figure label="Throughput" hint={`Messages a second of ${chosen.display}`} value={chosen.throughput} least={1} most={10000} onChange={(throughput) => change("PATCH", `numbers/${chosen.id}`, { throughput })} />}
        {token && <Switch label="Token expired" hint={`Of ${chosen.name}: error 190`} isOn={token.is_expired} onChange={(isExpired) => change("POST", "tokens", { token: token.token, is_expired: isExpired })} />}
      </section>

      <section aria-labelledby="phone-templates">
        <h3 id="phone-templates"><Icon name="file" size={18} /> Templates of {chosen?.name}</h3>
        {shown.map((template) => (
          <div className="phone-template" key={template.id}>
            <span>
              <strong>{template.name}</strong>
              <span className="phone-small">{`${template.language} · ${template.category.toLowerCase()} · ${template.status.toLowerCase()}`}</span>
            </span>
            <span className="phone-pills">
              {decisionsOn(template).map(([path, words, body]) => (
                <button type="button" key={path} aria-label={`${words} ${template.name}`} onClick={() => change("POST", `templates/${template.id}/${path}`, body)}>{words}</button>
              ))}
            </span>
          </div>
        ))}
      </section>

      <section className="phone-endings" aria-label="Endings">
        <button type="button" onClick={() => change("DELETE", "trouble")}>All quiet again</button>
        {isSure ? (
          <button type="button" className="is-grave" onClick={() => change("POST", "reset").then(onClose)}>Yes, forget all people and chats</button>
        ) : (
          <button type="button" className="is-grave" onClick={() => setSure(true)}>Start over…</button>
        )}
      </section>
    </Sheet>
  );
}
