import { useState, type ReactElement } from "react";
import { DropZone } from "react-aria-components/DropZone";
import { FileTrigger } from "react-aria-components/FileTrigger";
import { Input } from "react-aria-components/Input";
import { Label } from "react-aria-components/Label";
import { Radio, RadioGroup } from "react-aria-components/RadioGroup";
import { TextArea } from "react-aria-components/TextArea";
import { TextField } from "react-aria-components/TextField";
import type { Hall } from "../../model/start/hall.ts";
import type { ProbeModel } from "../../model/start/probe.ts";
import type { RelayWay, StartModel } from "../../model/start/start.ts";
import { Action, Problem } from "../parts/controls.tsx";
import { useTexts } from "../language.ts";
import { LampPicture } from "../parts/mark.tsx";
import { HallCard } from "./hall-card.tsx";
import { WhyButton } from "./probe-view.tsx";
import { useValue } from "../parts/use-value.ts";

type Dropped = Parameters<NonNullable<React.ComponentProps<typeof DropZone>["onDrop"]>>[0];

interface JoinCardProps {
  readonly model: StartModel;
  readonly probe: ProbeModel;
}

interface StartViewProps extends JoinCardProps {
  readonly hall: Hall;
}

/** The first screen. Everything on it takes a drop: an invite or a card, as text or as a file. */
export function StartView({ model, probe, hall }: StartViewProps): ReactElement {
  const { text } = useTexts();
  const [making, setMaking] = useState(model.way.get() !== "card" || model.card.get() !== "");
  const onDrop = (event: Dropped): void => {
    openDropped(model, event).catch(() => undefined);
  };
  const cardTaken = useValue(model.inviteProblem)?.key === "fault.paste-is-card";
  return (
    <DropZone className="start" onDrop={onDrop} aria-label={text("start.drop")}>
      <section className="start-hero">
        <h1 className="start-title" tabIndex={-1}>
          {text("start.title")}
        </h1>
        <p className="start-promise">{text("start.promise")}</p>
        <LampPicture />
      </section>
      <div className="start-choices">
        <JoinCard model={model} probe={probe} />
        <HallCard hall={hall} onChoose={(invite) => model.openText(invite)} />
        {making || cardTaken ? (
          <MakeCard model={model} />
        ) : (
          <section className="card card-quiet">
            <div>
              <h2 className="card-title">{text("make.title")}</h2>
              <p className="soft">{text("make.teaser")}</p>
            </div>
            <Action label={text("make.begin")} onPress={() => setMaking(true)} />
          </section>
        )}
        <p className="faint start-limits">{text("start.limits")}</p>
      </div>
    </DropZone>
  );
}

function JoinCard({ model, probe }: JoinCardProps): ReactElement {
  const { text, say } = useTexts();
  const invite = useValue(model.invite);
  const problem = useValue(model.inviteProblem);
  const openFiles = (files: FileList | null): void => {
    const file = files?.[0];
    if (file !== undefined) model.openFile(file).catch(() => undefined);
  };
  return (
    <section className="card">
      <h2 className="card-title">{text("join.title")}</h2>
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault();
          model.join();
        }}
      >
        <TextField className="field" value={invite} onChange={(next) => model.invite.set(next)}>
          <Label className="field-label">{text("join.field")}</Label>
          <TextArea
            className="input input-secret"
            rows={3}
            spellCheck="false"
            autoComplete="off"
            placeholder="thi1-…"
            dir="ltr"
            onKeyDown={(event) => {
              if (event.key !== "Enter" || event.shiftKey) return;
              event.preventDefault();
              model.join();
            }}
          />
        </TextField>
        <Problem>{problem && say(problem)}</Problem>
        <div className="row">
          <Action look="main" type="submit" label={text("join.go")} />
          <FileTrigger acceptedFileTypes={[".txt", ".teahouse", "text/plain"]} onSelect={openFiles}>
            <Action look="bare" icon="file" label={text("join.file")} />
          </FileTrigger>
          <WhyButton probe={probe} trouble={problem} />
        </div>
      </form>
    </section>
  );
}

function MakeCard({ model }: { readonly model: StartModel }): ReactElement {
  const { text } = useTexts();
  const title = useValue(model.title);
  const way = useValue(model.way);
  const ways: readonly RelayWay[] = ["card", "elsewhere", "self"];
  return (
    <section className="card">
      <h2 className="card-title">{text("make.title")}</h2>
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault();
          model.makeRoom();
        }}
      >
        <TextField className="field" value={title} onChange={(next) => model.title.set(next)} maxLength={200}>
          <Label className="field-label">{text("make.name")}</Label>
          <Input className="input" dir="auto" autoComplete="off" />
        </TextField>
        <RadioGroup className="field" value={way} onChange={(next) => model.way.set(next as RelayWay)}>
          <Label className="field-label">{text("make.relay")}</Label>
          <p className="faint">{text("make.why")}</p>
          {ways.map((one) => (
            <Radio key={one} value={one} className="way">
              <span className="way-dot" aria-hidden="true" />
              <span>
                <span className="way-title">{text(`make.${one}`)}</span>
                <span className="way-hint">{text(`make.${one}-hint`)}</span>
              </span>
            </Radio>
          ))}
        </RadioGroup>
        {way === "elsewhere" && (
          <pre className="command" dir="ltr" tabIndex={0}>
            <code>npx teahouse relay</code>
          </pre>
        )}
        {way !== "self" && <CardField model={model} />}
        {way === "self" && <SelfProblem model={model} />}
        <div className="row">
          <Action look="main" type="submit" label={text("make.go")} />
        </div>
      </form>
    </section>
  );
}

function CardField({ model }: { readonly model: StartModel }): ReactElement {
  const { text, say } = useTexts();
  const card = useValue(model.card);
  const problem = useValue(model.cardProblem);
  return (
    <>
      <TextField className="field" value={card} onChange={(next) => model.card.set(next)}>
        <Label className="field-label">{text("make.card-field")}</Label>
        <TextArea
          className="input input-secret"
          rows={2}
          spellCheck="false"
          autoComplete="off"
          placeholder="thc1-…"
          dir="ltr"
        />
      </TextField>
      <Problem>{problem && say(problem)}</Problem>
    </>
  );
}

function SelfProblem({ model }: { readonly model: StartModel }): ReactElement {
  const { say } = useTexts();
  const problem = useValue(model.cardProblem);
  return <Problem>{problem && say(problem)}</Problem>;
}

async function openDropped(model: StartModel, event: Dropped): Promise<void> {
  for (const item of event.items) {
    if (item.kind === "file") {
      const file = await item.getFile();
      return model.openFile(file);
    }
    if (item.kind === "text" && item.types.has("text/plain")) return model.openText(await item.getText("text/plain"));
  }
}
