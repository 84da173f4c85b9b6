import { useEffect, useRef, useState } from "react";

// What WhatsApp plays as a recording, best first. A browser that records none of them shows no microphone.
const RECORDINGS = ["audio/ogg;codecs=opus", "audio/mp4;codecs=mp4a.40.2"];

export function kindOf(file) {
  const type = file.type.split("/")[0];
  if (file.type === "image/jpeg" || file.type === "image/png") return "image";
  if (file.type === "image/webp") return "sticker";
  if (file.type === "video/mp4" || file.type === "video/3gpp") return "video";
  return type === "audio" ? "audio" : "document";
}

export function size(bytes) {
  if (bytes < 1_000) return `${bytes} bytes`;
  return bytes < 1_000_000 ? `${Math.round(bytes / 1_000)} kB` : `${(bytes / 1_000_000).toFixed(1)} MB`;
}

export function Suggestions({ label, options, at, onTake }) {
  return (
    <div className="cp-pop" role="listbox" aria-label={label}>
      {options.map((one, index) => (
        <button key={one.id} role="option" aria-selected={index === at} onMouseDown={(event) => { event.preventDefault(); onTake(one); }}>{one.title}<small>{one.text}</small></button>
      ))}
    </div>
  );
}

// A file as it will arrive, before it leaves.
export function Attachment({ file, onRemove }) {
  const [address, setAddress] = useState("");
  useEffect(() => {
    const made = URL.createObjectURL(file);
    setAddress(made);
    return () => URL.revokeObjectURL(made);
  }, [file]);
  const kind = kindOf(file);
  return (
    <figure className="cp-file" aria-label={`File to send: ${file.name}`}>
      {(kind === "image" || kind === "sticker") && address && <img src={address} alt="" />}
      {kind === "video" && address && <video src={address} controls muted />}
      {kind === "audio" && address && <audio src={address} controls />}
      <figcaption><b>{file.name}</b>{size(file.size)}</figcaption>
      <button className="cp-icon" aria-label={`Remove ${file.name}`} onClick={onRemove}>×</button>
    </figure>
  );
}

export function recordingType() {
  if (typeof MediaRecorder === "undefined" || !navigator.mediaDevices) return "";
  return RECORDINGS.find((one) => MediaRecorder.isTypeSupported(one)) ?? "";
}

// A voice message: record, stop, and it lies in the composer as a file to hear before it leaves.
export function useRecorder(onFile, onProblem) {
  const [seconds, setSeconds] = useState(-1); // -1: not recording
  const recorder = useRef(null);
  useEffect(() => {
    if (seconds < 0) return undefined;
    const timer = setTimeout(() => setSeconds(seconds + 1), 1_000);
    return () => clearTimeout(timer);
  }, [seconds]);
  useEffect(() => () => stop(false), []);

  const stop = (keep) => {
    const running = recorder.current;
    if (!running) return;
    recorder.current = null;
    running.keeps = keep;
    running.stop();
    running.stream.getTracks().forEach((track) => track.stop());
    setSeconds(-1);
  };
  const start = async () => {
    const type = recordingType();
    try {
      const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
      const made = new MediaRecorder(stream, { mimeType: type });
      const parts = [];
      made.ondataavailable = (event) => parts.push(event.data);
      made.onstop = () => {
        const bare = type.split(";")[0];
        if (made.keeps) onFile(new File(parts, bare === "audio/ogg" ? "voice.ogg" : "voice.m4a", { type: bare }));
      };
      recorder.current = made;
      made.start();
      setSeconds(0);
    } catch {
      onProblem("The browser gave no microphone. Allow it in the address bar, then try again.");
    }
  };
  return { seconds, start, stop };
}

export function clock(seconds) {
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

// The name that is being typed after an @, up to the caret; null when none is.
export function beingNamed(text, caret) {
  const found = /(^|\s)@([^@\n]{0,40})$/.exec(text.slice(0, caret));
  return found ? { sought: found[2].toLowerCase(), from: caret - found[2].length - 1 } : null;
}
