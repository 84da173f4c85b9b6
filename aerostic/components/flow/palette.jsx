// What a workflow can be made of, by group, found by typing. Drag it, or click it.
import { useMemo, useState } from "react";
import { Search } from "lucide-react";
import { KindIcon, toneOf } from "./signs.jsx";

const groupsOf = (kinds, search) => {
  const words = search.trim().toLowerCase().split(/\s+/).filter(Boolean);
  const found = kinds.filter((kind) => words.every((word) => `${kind.title} ${kind.summary} ${kind.group} ${kind.kind}`.toLowerCase().includes(word)));
  const isNamed = (kind) => words.length > 0 && words.every((word) => kind.title.toLowerCase().includes(word));
  const groups = Object.entries(Object.groupBy(found, (kind) => kind.group));
  return groups.map(([group, inside]) => [group, [...inside].sort((one, other) => isNamed(other) - isNamed(one))]).sort(([, one], [, other]) => isNamed(other[0]) - isNamed(one[0]));
};

export function Palette({ kinds, onAdd }) {
  const [search, setSearch] = useState("");
  const groups = useMemo(() => groupsOf(kinds, search), [kinds, search]);
  const first = groups[0]?.[1][0];
  return (
    <aside className="fl-palette" aria-label="Steps">
      <label className="fl-search">
        <Search size={15} aria-hidden="true" />
        <input type="search" placeholder="Find a step" aria-label="Find a step" value={search} onChange={(event) => setSearch(event.target.value)}
          onKeyDown={(event) => { if (event.key === "Enter" && first && search) { onAdd(first.kind); setSearch(""); } else if (event.key === "Escape") { setSearch(""); event.target.blur(); } }} />
      </label>
      <div className="fl-palette-list" tabIndex={0} role="region" aria-label="Steps by group">
        {groups.map(([group, inside]) => (
          <section key={group} aria-label={group}>
            <h3>{group}</h3>
            {inside.map((kind) => (
              <button key={kind.kind} type="button" className={`fl-item tone-${toneOf(group)}`} data-kind={kind.kind} title={kind.summary} draggable onClick={() => onAdd(kind.kind)}
                onDragStart={(event) => { event.dataTransfer.setData("application/x-aerostic-kind", kind.kind); event.dataTransfer.effectAllowed = "copy"; }}>
                <span className="fl-tile"><KindIcon name={kind.icon} size={15} /></span>
                <span>{kind.title}</span>
              </button>
            ))}
          </section>
        ))}
        {groups.length === 0 && <p className="fl-quiet">No step of that name.</p>}
      </div>
    </aside>
  );
}

/** Where a connection was dropped on the empty canvas: what may come there. */
export function PalettePopup({ kinds, popup, fits, onPick, onClose }) {
  const [search, setSearch] = useState("");
  const offered = useMemo(() => kinds.filter(fits), [kinds]);
  const groups = useMemo(() => groupsOf(offered, search), [offered, search]);
  const first = groups[0]?.[1][0];
  return (
    <div className="fl-popup" role="dialog" aria-label="Add a step here" style={{ left: popup.x, top: popup.y }} onKeyDown={(event) => event.key === "Escape" && onClose()}>
      <input autoFocus type="search" className="fl-input" placeholder="What comes here?" aria-label="What comes here?" value={search} onChange={(event) => setSearch(event.target.value)} onKeyDown={(event) => event.key === "Enter" && first && onPick(first.kind)} />
      <div className="fl-popup-list nowheel">
        {groups.map(([group, inside]) => (
          <section key={group} aria-label={group}>
            {inside.map((kind) => <button key={kind.kind} type="button" className={`fl-item tone-${toneOf(group)}`} onClick={() => onPick(kind.kind)}><span className="fl-tile"><KindIcon name={kind.icon} size={15} /></span><span>{kind.title}</span></button>)}
          </section>
        ))}
        {groups.length === 0 && <p className="fl-quiet">Nothing that fits there.</p>}
      </div>
    </div>
  );
}
