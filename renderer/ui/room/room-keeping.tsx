import { useState, type ReactElement } from "react";
import { Input } from "react-aria-components/Input";
import { Label } from "react-aria-components/Label";
import { Radio, RadioGroup } from "react-aria-components/RadioGroup";
import { TextArea } from "react-aria-components/TextArea";
import { TextField } from "react-aria-components/TextField";
import type { Access, RoomFacts } from "../../../p2p/api/room.ts";
import { isWebLink } from "../../model/room/facts.ts";
import type { RoomModel } from "../../model/room/room.ts";
import { Action, Problem, Toggle } from "../parts/controls.tsx";
import { useTexts, type TextKey } from "../language.ts";

const accesses: readonly Access[] = ["open", "link-only", "locked"];
/** Seconds between two texts of one person. */
const pauses = [0, 5, 15, 60] as const;

interface KeepingFormProps {
  readonly model: RoomModel;
  readonly facts: RoomFacts;
  readonly onDone: () => void;
}

/** What those who direct the room can change for everybody. Choices hold at once; words when they are saved. */
export function KeepingForm({ model, facts, onDone }: KeepingFormProps): ReactElement {
  const { text } = useTexts();
  return (
    <>
      <h3 className="sheet-part">{text("keep.title")}</h3>
      <RadioGroup
        className="field"
        value={facts.access}
        onChange={(next) => void model.keeping.direct({ access: next as Access })}
      >
        <Label className="field-label">{text("access.title")}</Label>
        <div className="segments">
          {accesses.map((access) => (
            <Radio key={access} value={access} className="segment">
              {text(`access.${access}`)}
            </Radio>
          ))}
        </div>
        <p className="faint">{text(`access.${facts.access}-hint`)}</p>
      </RadioGroup>
      <RadioGroup
        className="field"
        value={String(facts.slowModeS)}
        onChange={(next) => void model.keeping.direct({ slowModeS: Number(next) })}
      >
        <Label className="field-label">{text("keep.slow")}</Label>
        <div className="segments">
          {pauses.map((pause) => (
            <Radio key={pause} value={String(pause)} className="segment">
              {pause === 0 ? text("keep.slow-none") : text("keep.slow-seconds", { count: pause })}
            </Radio>
          ))}
        </div>
      </RadioGroup>
      <Toggle
        label={text("keep.hold-only")}
        hint={text("keep.hold-only-hint")}
        isOn={facts.pushToTalkOnly}
        onChange={(on) => void model.keeping.direct({ pushToTalkOnly: on })}
      />
      <RoomWords model={model} facts={facts} />
      <h3 className="sheet-part">{text("keep.drastic")}</h3>
      <Confirmed
        lead="keep.replace-hint"
        deed="keep.replace"
        onConfirm={() => void model.keeping.act({ kind: "replace-link" })}
      />
      <Confirmed
        lead="keep.end-hint"
        deed="keep.end"
        onConfirm={() => {
          void model.keeping.act({ kind: "end-room" });
          onDone();
        }}
      />
    </>
  );
}

/** Title, rules and links. */
function RoomWords({ model, facts }: Pick<KeepingFormProps, "model" | "facts">): ReactElement {
  const { text } = useTexts();
  const [title, setTitle] = useState(facts.title);
  const [rules, setRules] = useState(facts.rules);
  const [links, setLinks] = useState(facts.links.join("\n"));
  const [wrong, setWrong] = useState(false);
  const save = (): void => {
    const given = links.split(/\s+/).filter((link) => link !== "");
    setWrong(!given.every(isWebLink));
    if (given.every(isWebLink)) void model.keeping.direct({ title: title.trim(), rules: rules.trim(), links: given });
  };
  return (
    <form
      className="stack"
      onSubmit={(event) => {
        event.preventDefault();
        save();
      }}
    >
      <TextField className="field" value={title} onChange={setTitle} maxLength={64}>
        <Label className="field-label">{text("make.name")}</Label>
        <Input className="input" dir="auto" autoComplete="off" />
      </TextField>
      <TextField className="field" value={rules} onChange={setRules} maxLength={600}>
        <Label className="field-label">{text("keep.rules")}</Label>
        <TextArea className="input" rows={3} dir="auto" />
      </TextField>
      <TextField className="field" value={links} onChange={setLinks} maxLength={1200}>
        <Label className="field-label">{text("keep.links")}</Label>
        <TextArea className="input" rows={2} dir="ltr" spellCheck="false" />
      </TextField>
      <Problem>{wrong ? text("keep.links-wrong") : undefined}</Problem>
      <div className="row">
        <Action type="submit" icon="check" label={text("keep.save")} />
      </div>
    </form>
  );
}

interface ConfirmedProps {
  readonly lead: TextKey;
  readonly deed: TextKey;
  readonly onConfirm: () => void;
}

/** Something that cannot be undone: what it does stands above, and it takes two presses. */
function Confirmed({ lead, deed, onConfirm }: ConfirmedProps): ReactElement {
  const { text } = useTexts();
  const [asked, setAsked] = useState(false);
  const press = (): void => {
    if (asked) onConfirm();
    setAsked(!asked);
  };
  return (
    <div className="confirmed">
      <p className="soft">{text(lead)}</p>
      <div className="row">
        <Action look="danger" label={text(asked ? "keep.sure" : deed)} onPress={press} />
        {asked && <Action look="bare" label={text("common.back")} onPress={() => setAsked(false)} />}
      </div>
    </div>
  );
}
