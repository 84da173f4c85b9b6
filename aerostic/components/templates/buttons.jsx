// The buttons of a template: of its own, of a card, and the one that takes a code.
import React from "react";
import { Field, PartWrong, Picks, Tick } from "./fields.jsx";

const KINDS = [
  ["QUICK_REPLY", "Quick reply"],
  ["URL", "Link"],
  ["PHONE_NUMBER", "Call a number"],
  ["COPY_CODE", "Coupon code"],
  ["FLOW", "Form (WhatsApp Flow)"],
  ["CATALOG", "Catalogue"],
  ["VOICE_CALL", "Call on WhatsApp"],
];
const WORDS = Object.fromEntries(KINDS);
const FRESH = { CATALOG: { text: "View catalogue" }, VOICE_CALL: { text: "Call us" } };

const moved = (list, at, by) => {
  const next = [...list];
  next.splice(at + by, 0, next.splice(at, 1)[0]);
  return next;
};

function Target({ button, place, set }) {
  switch (button.kind) {
    case "URL":
      return (
        <>
          <Field label="Address" place={`${place}.url`} value={button.url} onChange={set("url")} placeholder="https://example.com/menu" hint="End it with {{1}} where each message has a link of its own." inputMode="url" />
          {/\{\{/.test(button.url || "") && <Field label="The whole address as an example" place={`${place}.example`} value={button.example} onChange={set("example")} />}
        </>
      );
    case "PHONE_NUMBER":
      return <Field label="Number with its country code" place={`${place}.phone_number`} value={button.phone_number} onChange={set("phone_number")} placeholder="+49 30 1234567" inputMode="tel" />;
    case "COPY_CODE":
      return <Field label="Example of a code" place={`${place}.example`} value={button.example} onChange={set("example")} most={15} />;
    case "FLOW":
      return (
        <div className="tb-pair">
          <Field label="Id of the form" place={`${place}.flow_id`} value={button.flow_id} onChange={set("flow_id")} inputMode="numeric" />
          <Field label="First screen (optional)" place={`${place}.navigate_screen`} value={button.navigate_screen} onChange={set("navigate_screen")} />
        </div>
      );
    default:
      return null;
  }
}

export function Buttons({ buttons, place, onChange, kinds = KINDS.map(([kind]) => kind), most = 10 }) {
  const change = (at) => (name) => (value) => onChange(buttons.map((one, index) => (index === at ? { ...one, [name]: value } : one)));
  const add = (kind) => onChange([...buttons, { kind, text: "", url: "", example: "", phone_number: "", flow_id: "", ...FRESH[kind] }]);
  return (
    <>
      <PartWrong place={place} />
      {buttons.map((button, at) => {
        const here = `${place}.${at}`;
        return (
          <div className="tb-one" key={at}>
            <div>
              <strong>{WORDS[button.kind] || button.kind}</strong>
              <button type="button" className="is-quiet" aria-label={`Move button ${at + 1} up`} disabled={at === 0} onClick={() => onChange(moved(buttons, at, -1))}>↑</button>
              <button type="button" className="is-quiet" aria-label={`Move button ${at + 1} down`} disabled={at === buttons.length - 1} onClick={() => onChange(moved(buttons, at, 1))}>↓</button>
              <button type="button" className="is-quiet is-grave" aria-label={`Remove button ${at + 1}`} onClick={() => onChange(buttons.filter((_, index) => index !== at))}>Remove</button>
            </div>
            {button.kind !== "COPY_CODE" && <Field label="What it says" place={`${here}.text`} value={button.text} most={25} onChange={change(at)("text")} />}
            <Target button={button} place={here} set={change(at)} />
            <PartWrong place={`${here}.kind`} />
          </div>
        );
      })}
      {buttons.length < most && (
        <div className="tb-tools" role="group" aria-label="Add a button">
          {KINDS.filter(([kind]) => kinds.includes(kind)).map(([kind, words]) => <button type="button" key={kind} onClick={() => add(kind)}>{`+ ${words}`}</button>)}
        </div>
      )}
    </>
  );
}

const WAYS = [["COPY_CODE", "Copy by hand"], ["ONE_TAP", "Fill in with one tap"], ["ZERO_TAP", "Fill in by itself"]];

/** The one button of an authentication template. */
export function CodeButton({ button, onChange }) {
  const set = (name) => (value) => onChange({ ...button, [name]: value });
  const apps = button.apps || [];
  const setApp = (at, name) => (value) => set("apps")(apps.map((app, index) => (index === at ? { ...app, [name]: value } : app)));
  return (
    <>
      <PartWrong place="buttons" />
      <Picks label="How the code reaches the app" value={button.otp_type} options={WAYS} onChange={set("otp_type")} />
      <div className="tb-pair">
        <Field label="Words of the copy button (optional)" place="buttons.0.text" value={button.text} most={25} onChange={set("text")} />
        {button.otp_type !== "COPY_CODE" && <Field label="Words of the fill-in button (optional)" place="buttons.0.autofill_text" value={button.autofill_text} most={25} onChange={set("autofill_text")} />}
      </div>
      {button.otp_type !== "COPY_CODE" && (
        <>
          <PartWrong place="buttons.0.apps" />
          {apps.map((app, at) => (
            <div className="tb-one" key={at}>
              <div><strong>{`Android app ${at + 1}`}</strong><button type="button" className="is-quiet is-grave" onClick={() => set("apps")(apps.filter((_, index) => index !== at))}>Remove</button></div>
              <div className="tb-pair">
                <Field label="Package name" place={`buttons.0.apps.${at}.package_name`} value={app.package_name} onChange={setApp(at, "package_name")} placeholder="com.example.shop" />
                <Field label="Signing key hash" place={`buttons.0.apps.${at}.signature_hash`} value={app.signature_hash} onChange={setApp(at, "signature_hash")} most={11} />
              </div>
            </div>
          ))}
          {apps.length < 5 && <div className="tb-tools"><button type="button" onClick={() => set("apps")([...apps, { package_name: "", signature_hash: "" }])}>+ Android app</button></div>}
        </>
      )}
      {button.otp_type === "ZERO_TAP" && <Tick label="I agree to WhatsApp’s terms for zero-tap codes" place="buttons.0.accepts_zero_tap_terms" isOn={Boolean(button.accepts_zero_tap_terms)} onChange={set("accepts_zero_tap_terms")} />}
    </>
  );
}
