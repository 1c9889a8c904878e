import { memo, useEffect, useRef, type ReactElement } from "react";
import type { StagePerson } from "../../../p2p/api/engine.ts";
import type { VoiceKey } from "../../../p2p/api/ids.ts";
import type { RoomModel } from "../../model/room/room.ts";
import { isHeard } from "../../model/voice/voice.ts";
import { Avatar } from "../parts/avatar.tsx";
import { Action } from "../parts/controls.tsx";
import { Icon, type IconName } from "../parts/icon.tsx";
import { useTexts } from "../language.ts";
import { PersonButton } from "./person-card.tsx";
import { ReactionsView } from "./reactions-view.tsx";
import { useValue } from "../parts/use-value.ts";

/** Louder than this is speech; the same for everybody. */
const speakingLevel = 0.08;
/** A ring stays this long after the last sound, so that it does not flicker between words. */
const ringMs = 350;

interface StageViewProps {
  readonly model: RoomModel;
  /** Shows everybody whom the room knows by name. */
  readonly onPeople: () => void;
}

/**
 * Who is on stage. The rings are written straight into the page, 20 times a second: React draws only when somebody comes,
 * goes or is renamed.
 */
export function StageView({ model, onPeople }: StageViewProps): ReactElement {
  const { text } = useTexts();
  const { people } = useValue(model.session.stage);
  const list = useRef<HTMLUListElement>(null);
  useEffect(() => {
    const own = people.find(({ self }) => self)?.voice;
    return list.current === null ? undefined : showLevels(list.current, own, model);
  }, [people, model]);
  const size = people.length <= 4 ? "large" : people.length <= 9 ? "middle" : "small";
  return (
    <section className="stage" aria-labelledby="stage-title">
      <h2 className="stage-title" id="stage-title">
        {text("stage.title")}
      </h2>
      {people.length === 0 ? (
        <p className="stage-empty">{text("stage.empty")}</p>
      ) : (
        <ul className="seats" data-size={size} ref={list}>
          {people.map((person) => (
            <Seat key={person.voice} person={person} model={model} />
          ))}
        </ul>
      )}
      <ReactionsView model={model} />
      <Audience model={model} onPeople={onPeople} />
    </section>
  );
}

interface SeatProps {
  readonly person: StagePerson;
  readonly model: RoomModel;
}

const Seat = memo(function Seat({ person, model }: SeatProps): ReactElement {
  const { text } = useTexts();
  const { identity, name, role, self } = person;
  const shown = name === "" ? text("person.nameless") : name;
  const bowl = (
    <span className="seat-bowl">
      <Avatar identity={identity} />
      {self ? <OwnBadge model={model} /> : <VolumeBadge person={person} model={model} />}
      <FactBadges identity={identity} model={model} />
    </span>
  );
  return (
    <li className="seat" data-voice={person.voice} data-self={self || undefined}>
      {self ? (
        bowl
      ) : (
        <PersonButton model={model} identity={identity} name={name} className="seat-button" isDrawn>
          {bowl}
        </PersonButton>
      )}
      <span className="seat-name">
        <bdi>{shown}</bdi>
      </span>
      <span className="seat-role">
        {self ? text("stage.you") : role === "speaker" ? text("stage.speaks") : text(`role.${role}`)}
      </span>
    </li>
  );
});

/** What the room says of somebody: muted by a keeper, records, has a name like somebody else's. */
function FactBadges({
  identity,
  model,
}: {
  readonly identity: string;
  readonly model: RoomModel;
}): ReactElement | null {
  const { text } = useTexts();
  const person = useValue(model.session.facts)?.people.find((one) => one.identity === identity);
  if (person === undefined) return null;
  const { muted, records, lookAlike, self } = person;
  return (
    <>
      {muted !== "no" && !self && <FactBadge icon="microphone-off" words={text(`stage.muted-${muted}`)} kind="muted" />}
      {records && <FactBadge icon="record" words={text("stage.records")} kind="records" />}
      {lookAlike && <FactBadge icon="warning" words={text("person.look-alike")} kind="look-alike" />}
    </>
  );
}

interface FactBadgeProps {
  readonly icon: IconName;
  readonly words: string;
  readonly kind: "muted" | "records" | "look-alike";
}

function FactBadge({ icon, words, kind }: FactBadgeProps): ReactElement {
  return (
    <span className="seat-badge" data-kind={kind}>
      <Icon name={icon} />
      <span className="hidden-words">{words}</span>
    </span>
  );
}

/** Reminds us that somebody is louder or quieter by our own doing. */
function VolumeBadge({ person, model }: Pick<SeatProps, "person" | "model">): ReactElement | null {
  const { text } = useTexts();
  const volume = useValue(model.volumes.of(person));
  if (volume === 1) return null;
  return (
    <span className="seat-badge seat-badge-volume">
      <Icon name={volume === 0 ? "volume-off" : "volume"} />
      <span className="hidden-words">{text(volume === 0 ? "stage.quiet" : "stage.adjusted")}</span>
    </span>
  );
}

/** One's own microphone, on one's own bowl: nobody else's is known. */
function OwnBadge({ model }: { readonly model: RoomModel }): ReactElement | null {
  const { text } = useTexts();
  const state = useValue(model.voice.state);
  if (state === "shut") return null;
  const open = isHeard(state);
  return (
    <span className="seat-badge" data-open={open || undefined}>
      <Icon name={open ? "microphone" : "microphone-off"} />
      <span className="hidden-words">{text(open ? "voice.live" : "voice.muted")}</span>
    </span>
  );
}

/** How many listen, and a crowd that grows with the logarithm: 8,000 are not 8,000 drawings. */
function Audience({ model, onPeople }: StageViewProps): ReactElement {
  const { text } = useTexts();
  const { listeners, relays } = useValue(model.session.crowd);
  const facts = useValue(model.session.facts);
  const width = Math.min(1, Math.log10(1 + listeners) / 4);
  return (
    <div className="audience">
      <div
        className="audience-crowd"
        style={{ "--crowd": width.toFixed(3) } as React.CSSProperties}
        aria-hidden="true"
      />
      <div className="audience-count">
        <strong>{text("crowd.listeners", { count: listeners })}</strong>
        <span className="faint">{text("crowd.relays", { count: relays })}</span>
        {facts !== undefined && <span className="faint">{text("crowd.holders", { count: facts.keyHolders })}</span>}
        {facts !== undefined && <Action look="bare" icon="people" label={text("people.open")} onPress={onPeople} />}
      </div>
    </div>
  );
}

/** Writes loudness into the seats' style until the result is called. */
function showLevels(list: HTMLUListElement, own: VoiceKey | undefined, model: RoomModel): () => void {
  const seats = [...list.querySelectorAll<HTMLElement>(".seat")].map((element) => ({
    element,
    voice: element.dataset["voice"] as VoiceKey,
    shown: -1,
    heardAt: Number.NEGATIVE_INFINITY,
  }));
  let fade: ReturnType<typeof setTimeout> | undefined;
  // After the last sound nothing more is told, and the rings still have to go out.
  const dim = (): void => {
    for (const { element, shown } of seats) if (shown / 20 < speakingLevel) element.removeAttribute("data-speaking");
  };
  const show = (levels: ReadonlyMap<VoiceKey, number>, ownLevel: number): void => {
    const now = performance.now();
    clearTimeout(fade);
    fade = setTimeout(dim, ringMs);
    for (const seat of seats) {
      const level = seat.voice === own ? ownLevel : (levels.get(seat.voice) ?? 0);
      // Steps of a twentieth: finer ones are not seen, and each costs a style.
      const shown = Math.round(level * 20);
      if (level >= speakingLevel) seat.heardAt = now;
      const speaking = now - seat.heardAt < ringMs;
      if (speaking !== seat.element.hasAttribute("data-speaking"))
        seat.element.toggleAttribute("data-speaking", speaking);
      if (shown === seat.shown) continue;
      seat.shown = shown;
      seat.element.style.setProperty("--level", String(shown / 20));
    }
  };
  const end = model.onLevels(show);
  return () => {
    end();
    clearTimeout(fade);
    for (const { element } of seats) {
      element.removeAttribute("data-speaking");
      element.style.removeProperty("--level");
    }
  };
}
