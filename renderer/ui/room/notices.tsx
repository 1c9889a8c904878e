import type { ReactElement, ReactNode } from "react";
import type { LendModel } from "../../model/lend.ts";
import type { RoomModel } from "../../model/room/room.ts";
import { Action, Problem } from "../parts/controls.tsx";
import { Icon, type IconName } from "../parts/icon.tsx";
import { useTexts } from "../language.ts";
import { useValue } from "../parts/use-value.ts";

interface NoticesProps {
  readonly model: RoomModel;
  readonly lend: LendModel;
  /** Shows what helping to carry means. */
  readonly onLend: () => void;
}

/** What the room wants of us or tells us, above the stage: nothing of it stands in the way. */
export function Notices({ model, lend, onLend }: NoticesProps): ReactElement {
  const { text, say } = useTexts();
  const refusal = useValue(model.keeping.refusal);
  const isForked = useValue(model.session.isForked);
  return (
    <>
      <Problem>{isForked ? text("fault.forked") : undefined}</Problem>
      <div className="refusal">
        <Problem>{refusal && say(refusal)}</Problem>
      </div>
      <StageOffer model={model} />
      <RecordingNotice model={model} />
      <HelpAsked lend={lend} onLend={onLend} />
    </>
  );
}

interface NoticeProps {
  readonly icon: IconName;
  readonly kind: "offer" | "record" | "help";
  readonly children: ReactNode;
}

function Notice({ icon, kind, children }: NoticeProps): ReactElement {
  return (
    <div className="notice" data-kind={kind}>
      <Icon name={icon} />
      {children}
    </div>
  );
}

/** Somebody who keeps the room asks us on stage. */
function StageOffer({ model }: { readonly model: RoomModel }): ReactElement | null {
  const { text } = useTexts();
  const facts = useValue(model.session.facts);
  const state = useValue(model.voice.state);
  const isInvited = facts?.people.some(({ self, invitedToStage }) => self && invitedToStage) ?? false;
  if (!isInvited || state !== "shut") return null;
  return (
    <Notice icon="stage" kind="offer">
      <p>
        <strong>{text("offer.title")}</strong> <span className="soft">{text("offer.hint")}</span>
      </p>
      <Action
        look="main"
        label={text("offer.accept")}
        onPress={() => void model.keeping.act({ kind: "accept-stage" })}
      />
      <Action
        look="bare"
        label={text("offer.decline")}
        onPress={() => void model.keeping.act({ kind: "decline-stage" })}
      />
    </Notice>
  );
}

/** Somebody says that they record: who, and what became of our microphone. */
function RecordingNotice({ model }: { readonly model: RoomModel }): ReactElement | null {
  const { text, language } = useTexts();
  const { names, self, mutedUs } = useValue(model.recorders.recording);
  const state = useValue(model.voice.state);
  if (names.length === 0 && !self) return null;
  const shown = names.map((name) => (name === "" ? text("person.nameless") : name));
  const who = new Intl.ListFormat(language, { type: "conjunction" }).format(shown);
  const isOpen = state === "live" || state === "held";
  return (
    <Notice icon="record" kind="record">
      <p>
        {names.length > 0 && <strong>{text("record.others", { count: names.length, names: who })}</strong>}{" "}
        {self && <strong>{text("record.self")}</strong>}{" "}
        {mutedUs && !isOpen && <span className="soft">{text("record.muted-you")}</span>}
      </p>
      {names.length > 0 && isOpen && (
        <Action icon="microphone-off" label={text("record.mute-me")} onPress={() => model.toggleMuted()} />
      )}
      {self && <Action label={text("record.stop")} onPress={() => void model.keeping.record(false)} />}
    </Notice>
  );
}

/** The room asks for help, politely: pressing it only shows what helping means. */
function HelpAsked({ lend, onLend }: Omit<NoticesProps, "model">): ReactElement | null {
  const { text } = useTexts();
  if (!useValue(lend.isAsked)) return null;
  return (
    <Notice icon="help" kind="help">
      <p>
        <strong>{text("lend.asked")}</strong> <span className="soft">{text("lend.asked-hint")}</span>
      </p>
      <Action label={text("lend.look")} onPress={onLend} />
      <Action look="bare" label={text("lend.not-now")} onPress={() => lend.decline()} />
    </Notice>
  );
}
