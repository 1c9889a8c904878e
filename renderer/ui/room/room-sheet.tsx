import { useState, type ReactElement } from "react";
import type { RoomFacts } from "../../../p2p/api/room.ts";
import type { RoomModel } from "../../model/room/room.ts";
import type { Settings } from "../../model/settings.ts";
import { Action, Sheet, Toggle } from "../parts/controls.tsx";
import { Icon } from "../parts/icon.tsx";
import { useTexts } from "../language.ts";
import { KeepingForm } from "./room-keeping.tsx";
import { useValue } from "../parts/use-value.ts";

interface RoomSheetProps {
  readonly model: RoomModel;
  readonly settings: Settings;
  readonly isOpen: boolean;
  readonly onClose: () => void;
}

/** What holds in this room and who can hear it; for its keepers, everything that can be changed. */
export function RoomSheet({ model, settings, isOpen, onClose }: RoomSheetProps): ReactElement {
  const { text } = useTexts();
  const facts = useValue(model.session.facts);
  return (
    <Sheet title={text("about.title")} isOpen={isOpen} onClose={onClose}>
      {facts === undefined ? (
        <p className="soft">{text("about.unknown")}</p>
      ) : (
        <div className="stack">
          <Rules facts={facts} />
          <WhoHears facts={facts} />
          <OwnRecording model={model} settings={settings} facts={facts} />
          {facts.rights.includes("direct") && <KeepingForm model={model} facts={facts} onDone={onClose} />}
          <OwnOffice model={model} facts={facts} />
        </div>
      )}
    </Sheet>
  );
}

function Rules({ facts }: { readonly facts: RoomFacts }): ReactElement {
  const { text } = useTexts();
  const { rules, links, slowModeS, pushToTalkOnly } = facts;
  return (
    <>
      {rules === "" ? (
        <p className="faint">{text("about.no-rules")}</p>
      ) : (
        <p className="rules" dir="auto">
          {rules}
        </p>
      )}
      {links.length > 0 && (
        <ul className="links" aria-label={text("about.links")}>
          {links.map((link) => (
            <li key={link}>
              {/* Opened by the person alone, and told nothing of where they come from. */}
              <a href={link} target="_blank" rel="noreferrer noopener" className="link" dir="ltr">
                <Icon name="link" />
                {link}
              </a>
            </li>
          ))}
        </ul>
      )}
      {slowModeS > 0 && <p className="soft">{text("texts.slow", { count: slowModeS })}</p>}
      {pushToTalkOnly && <p className="soft">{text("speaking.hold-only")}</p>}
    </>
  );
}

/** How many can hear and read, and by whom the room is kept. */
function WhoHears({ facts }: { readonly facts: RoomFacts }): ReactElement {
  const { text } = useTexts();
  const { access, keyHolders, keptBy, people } = facts;
  const keeper = people.find(({ identity }) => identity === keptBy);
  return (
    <section className="who">
      <p className="who-number">
        <Icon name={access === "locked" ? "lock" : "door"} />
        <strong>{text("crowd.holders", { count: keyHolders })}</strong>
      </p>
      <p className="soft">{text(`access.${access}-hint`)}</p>
      <p className="soft">
        {keptBy === null
          ? text("about.kept-nobody")
          : text("about.kept-by", { name: keeper?.name ?? text("person.nameless") })}
      </p>
    </section>
  );
}

interface OwnProps {
  readonly model: RoomModel;
  readonly facts: RoomFacts;
}

function OwnRecording({ model, settings, facts }: OwnProps & { readonly settings: Settings }): ReactElement {
  const { text } = useTexts();
  const mutes = useValue(settings.mutesWhenRecorded);
  const records = facts.people.some(({ self, records: isOn }) => self && isOn);
  return (
    <>
      <h3 className="sheet-part">{text("record.title")}</h3>
      <p className="soft">{text("record.lead")}</p>
      <Toggle
        label={text("record.mine")}
        hint={text("record.mine-hint")}
        isOn={records}
        onChange={(on) => void model.keeping.record(on)}
      />
      <Toggle
        label={text("record.mutes")}
        hint={text("record.mutes-hint")}
        isOn={mutes}
        onChange={(on) => settings.mutesWhenRecorded.set(on)}
      />
    </>
  );
}

/** Giving one's office back; not the same as leaving. */
function OwnOffice({ model, facts }: OwnProps): ReactElement | null {
  const { text } = useTexts();
  const [asked, setAsked] = useState(false);
  if (facts.role !== "moderator" && facts.role !== "heir") return null;
  const stepDown = (): void => {
    if (asked) void model.keeping.act({ kind: "step-down" });
    setAsked(!asked);
  };
  return (
    <>
      <h3 className="sheet-part">{text("office.title")}</h3>
      <p className="soft">{text(asked ? "office.sure" : `office.${facts.role}`)}</p>
      <div className="row">
        <Action look={asked ? "danger" : "plain"} icon="shield" label={text("office.step-down")} onPress={stepDown} />
        {asked && <Action look="bare" label={text("common.back")} onPress={() => setAsked(false)} />}
      </div>
    </>
  );
}
