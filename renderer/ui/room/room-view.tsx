import { useRef, useState, type ReactElement, type RefObject } from "react";
import type { Access } from "../../../p2p/api/room.ts";
import type { App } from "../../model/app.ts";
import type { RoomModel } from "../../model/room/room.ts";
import type { WayModel } from "../../model/start/way.ts";
import { ControlBar } from "./control-bar.tsx";
import { Action, Problem } from "../parts/controls.tsx";
import { HandsPanel } from "./hands-panel.tsx";
import { Icon } from "../parts/icon.tsx";
import { KeysSheet } from "./keys-sheet.tsx";
import { useTexts } from "../language.ts";
import { LendSheet } from "../network/lend-sheet.tsx";
import { Notices } from "./notices.tsx";
import { PanicButton } from "./panic-button.tsx";
import { PeopleSheet } from "./people-sheet.tsx";
import { PlacePanel } from "./place-panel.tsx";
import { WhyButton } from "../start/probe-view.tsx";
import { RoomSheet } from "./room-sheet.tsx";
import { SettingsSheet } from "../settings-sheet.tsx";
import { ShareSheet } from "./share-sheet.tsx";
import { StageView } from "./stage-view.tsx";
import { TextsPanel } from "./texts-panel.tsx";
import { TreeSheet } from "../network/tree-sheet.tsx";
import { useRoomKeys } from "./use-room-keys.ts";
import { useValue } from "../parts/use-value.ts";
import { WayWords } from "../network/way-facts.tsx";

interface RoomViewProps {
  readonly model: RoomModel;
  readonly app: App;
}

/** What opens over the room. */
type RoomSheetName = "share" | "settings" | "keys" | "tree" | "lend" | "about" | "people";

/** The room. */
export function RoomView({ model, app }: RoomViewProps): ReactElement {
  const [sheet, setSheet] = useState<RoomSheetName | undefined>(undefined);
  const composer = useRef<HTMLInputElement>(null);
  const close = (): void => setSheet(undefined);
  useRoomKeys(model, { onHelp: () => setSheet("keys"), onType: () => composer.current?.focus() });
  const state = useValue(model.voice.state);
  const { settings, way } = app;
  return (
    <div className="room" data-voice={state}>
      <RoomHead model={model} app={app} onOpen={setSheet} />
      {/* Focusable, so that a full stage can be scrolled with keys. */}
      <div className="room-main" role="group" aria-labelledby="stage-title" tabIndex={0}>
        <SoundProblems model={model} />
        <Notices model={model} lend={app.lend} onLend={() => setSheet("lend")} />
        <StageView model={model} onPeople={() => setSheet("people")} />
      </div>
      <RoomSide model={model} app={app} composer={composer} onOpen={setSheet} />
      <ControlBar model={model} onType={() => composer.current?.focus()} />
      <ShareSheet model={model} isOpen={sheet === "share"} onClose={close} />
      <SettingsSheet
        settings={settings}
        voice={model.voice}
        way={way}
        talkKey={app.talkKey}
        isOpen={sheet === "settings"}
        onClose={close}
      />
      <KeysSheet isOpen={sheet === "keys"} onClose={close} />
      <TreeSheet model={model} way={way} isOpen={sheet === "tree"} onClose={close} />
      <LendSheet lend={app.lend} isOpen={sheet === "lend"} onClose={close} />
      <RoomSheet model={model} settings={settings} isOpen={sheet === "about"} onClose={close} />
      <PeopleSheet model={model} isOpen={sheet === "people"} onClose={close} />
    </div>
  );
}

interface RoomSideProps extends RoomViewProps {
  readonly composer: RefObject<HTMLInputElement | null>;
  readonly onOpen: (sheet: RoomSheetName) => void;
}

function RoomSide({ model, app, composer, onOpen }: RoomSideProps): ReactElement {
  const role = useValue(model.session.role);
  const facts = useValue(model.session.facts);
  const answers = role === "host" || facts?.rights.includes("moderate") === true;
  return (
    <aside className="room-side">
      {answers && <HandsPanel model={model} />}
      <TextsPanel model={model} composer={composer} />
      <PlacePanel model={model} app={app} onLook={() => onOpen("tree")} onLend={() => onOpen("lend")} />
    </aside>
  );
}

interface RoomHeadProps extends RoomViewProps {
  readonly onOpen: (sheet: RoomSheetName) => void;
}

function RoomHead({ model, app, onOpen }: RoomHeadProps): ReactElement {
  const { text } = useTexts();
  const facts = useValue(model.session.facts);
  const stage = useValue(model.session.stage);
  const trouble = useValue(model.session.trouble);
  const title = facts?.title ?? stage.title;
  return (
    <header className="room-head">
      <div className="room-name">
        <h1 className="room-title" tabIndex={-1} dir="auto">
          {title === "" ? text("room.untitled") : <bdi>{title}</bdi>}
        </h1>
        <ConnectionPill model={model} way={app.way} />
        {/* In trouble the way out of it has this place. */}
        {facts !== undefined && trouble === undefined && <AccessPill access={facts.access} />}
        <WhyButton probe={app.probe} trouble={trouble} />
      </div>
      <div className="room-tools">
        <Action icon="share" label={text("room.share")} onPress={() => onOpen("share")} />
        <Action icon="info" label={text("about.open")} onPress={() => onOpen("about")} />
        <Action look="bare" icon="keys" iconOnly label={text("keys.title")} onPress={() => onOpen("keys")} />
        <PanicButton app={app} />
        <Action
          look="bare"
          icon="settings"
          iconOnly
          label={text("settings.title")}
          onPress={() => onOpen("settings")}
        />
      </div>
    </header>
  );
}

/** Who comes in. */
function AccessPill({ access }: { readonly access: Access }): ReactElement {
  const { text } = useTexts();
  return (
    <p className="pill">
      <Icon name={access === "locked" ? "lock" : access === "open" ? "door" : "link"} />
      <span>{text(`access.${access}`)}</span>
    </p>
  );
}

/** How the connection is: a colour, and always words. It never stands in the way. */
function ConnectionPill({ model, way }: { readonly model: RoomModel; readonly way: WayModel }): ReactElement {
  const { say } = useTexts();
  const { mood, sentence } = useValue(model.connection);
  return (
    <p className="pill" data-mood={mood} role="status">
      <span className="pill-dot" aria-hidden="true" />
      <span>{say(sentence)}</span>
      {mood === "good" && <WayWords way={way} />}
    </p>
  );
}

function SoundProblems({ model }: { readonly model: RoomModel }): ReactElement {
  const { text, say } = useTexts();
  const state = useValue(model.voice.state);
  const microphone = useValue(model.voice.microphoneFault);
  const speakers = useValue(model.voice.speakersFault);
  const blocked = speakers?.key === "sound.speaker-blocked";
  return (
    <>
      <Problem>{state === "shut" || microphone === undefined ? undefined : say(microphone)}</Problem>
      <Problem>{speakers && say(speakers)}</Problem>
      {blocked && (
        <Action
          look="main"
          icon="volume"
          label={text("room.let-sound-in")}
          onPress={() => void model.voice.listen().catch(() => undefined)}
        />
      )}
    </>
  );
}
