import { useState, type ReactElement, type ReactNode } from "react";
import { Button } from "react-aria-components/Button";
import { Dialog, DialogTrigger } from "react-aria-components/Dialog";
import { Popover } from "react-aria-components/Popover";
import type { RoomPerson } from "../../../p2p/api/room.ts";
import type { Deed } from "../../model/room/facts.ts";
import type { RoomModel } from "../../model/room/room.ts";
import { Avatar } from "../parts/avatar.tsx";
import { Action, LoudnessSlider, Toggle } from "../parts/controls.tsx";
import { Icon, type IconName } from "../parts/icon.tsx";
import { useTexts } from "../language.ts";
import { useValue } from "../parts/use-value.ts";

interface PersonButtonProps {
  readonly model: RoomModel;
  readonly identity: string;
  /** Clean; may be empty. */
  readonly name: string;
  readonly className: string;
  /** The children are a drawing without words. */
  readonly isDrawn?: boolean;
  readonly children: ReactNode;
}

/** Whatever stands for somebody: pressed, it opens all that can be done about them. */
export function PersonButton({ model, identity, name, className, isDrawn, children }: PersonButtonProps): ReactElement {
  const { text } = useTexts();
  const label = text("stage.options", { name: name === "" ? text("person.nameless") : name });
  return (
    <DialogTrigger>
      <Button className={className} {...(isDrawn === true ? { "aria-label": label } : {})}>
        {children}
      </Button>
      <Popover className="popover popover-person">
        <Dialog className="person" aria-label={label}>
          {({ close }) => <PersonCard model={model} identity={identity} name={name} onDone={close} />}
        </Dialog>
      </Popover>
    </DialogTrigger>
  );
}

interface PersonCardProps extends Pick<PersonButtonProps, "model" | "identity" | "name"> {
  readonly onDone: () => void;
}

function PersonCard({ model, identity, name, onDone }: PersonCardProps): ReactElement {
  const { text } = useTexts();
  const [banning, setBanning] = useState(false);
  useValue(model.session.facts);
  const person = model.keeping.person(identity, name);
  const shown = person.name === "" ? text("person.nameless") : person.name;
  const onStage = useValue(model.session.stage).people.find((one) => one.identity === identity);
  return (
    <>
      <header className="person-head">
        <span className="person-bowl">
          <Avatar identity={identity} />
        </span>
        <p className="person-name">
          <bdi>{shown}</bdi>
          <span className="faint">{text(`role.${onStage?.role ?? person.role}`)}</span>
        </p>
      </header>
      {!banning && person.lookAlike && (
        <p className="person-warning">
          <Icon name="warning" />
          <span>{text("person.look-alike")}</span>
        </p>
      )}
      {banning ? (
        <BanForm model={model} person={person} onDone={onDone} onBack={() => setBanning(false)} />
      ) : (
        <>
          {onStage !== undefined && !onStage.self && <OwnVolume model={model} person={onStage} />}
          <OwnDeeds model={model} person={person} />
          <Deeds model={model} person={person} onDone={onDone} onBan={() => setBanning(true)} />
        </>
      )}
    </>
  );
}

function OwnVolume({
  model,
  person,
}: {
  readonly model: RoomModel;
  readonly person: Parameters<RoomModel["volumes"]["of"]>[0];
}): ReactElement {
  const { text } = useTexts();
  const volume = useValue(model.volumes.of(person));
  return (
    <LoudnessSlider label={text("stage.volume")} value={volume} onChange={(next) => model.volumes.set(person, next)} />
  );
}

/** What is between the two of us: the code that we read to each other, and whether I want to read what they type. */
function OwnDeeds({ model, person }: { readonly model: RoomModel; readonly person: RoomPerson }): ReactElement {
  const { text } = useTexts();
  const [open, setOpen] = useState(false);
  const { identity, comparison } = person;
  const blocked = useValue(model.chat.blocked).has(identity);
  return (
    <div className="deeds">
      {comparison !== "" && (
        <Action
          look="bare"
          icon="verify"
          label={text("verify.open")}
          aria-expanded={open}
          onPress={() => setOpen(!open)}
        />
      )}
      <Action
        look="bare"
        icon={blocked ? "eye" : "eye-off"}
        label={text(blocked ? "person.unblock" : "person.block")}
        onPress={() => model.chat.setBlocked(identity, !blocked)}
      />
      {open && (
        <div className="code-shown">
          <p className="code" dir="ltr">
            {groupsOf(comparison).map((group, index) => (
              // The groups of one code stay in their places.
              <span key={index}>{group}</span>
            ))}
          </p>
          <p className="faint">{text("verify.how")}</p>
        </div>
      )}
    </div>
  );
}

/** Digits as people read them out, a few at a time. */
function groupsOf(code: string): readonly string[] {
  return code.split(" ");
}

const icons: Readonly<Record<Deed, IconName>> = {
  "invite-to-stage": "stage",
  uninvite: "close",
  "to-audience": "steps",
  mute: "microphone-off",
  unmute: "microphone",
  "silence-text": "words-off",
  "allow-text": "words",
  "make-moderator": "shield",
  "take-office": "shield",
  kick: "leave",
  ban: "ban",
  unban: "check",
};

interface DeedsProps {
  readonly model: RoomModel;
  readonly person: RoomPerson;
  readonly onDone: () => void;
  readonly onBan: () => void;
}

/** What a keeper may do about this person, each one press away; only a ban asks, because it means more than it says. */
function Deeds({ model, person, onDone, onBan }: DeedsProps): ReactElement | null {
  const { text } = useTexts();
  const deeds = model.keeping.deedsFor(person);
  if (deeds.length === 0) return null;
  const act = (deed: Deed): void => {
    if (deed === "ban") return onBan();
    void model.keeping.do(deed, person);
    onDone();
  };
  return (
    <section className="deeds" aria-label={text("deed.title")}>
      {deeds.map((deed) => (
        <Action
          key={deed}
          look={deed === "kick" || deed === "ban" ? "danger" : "bare"}
          icon={icons[deed]}
          label={text(`deed.${deed}`)}
          onPress={() => act(deed)}
        />
      ))}
    </section>
  );
}

interface BanFormProps extends Omit<DeedsProps, "onBan"> {
  readonly onBack: () => void;
}

/** What a ban means here, and what would make it hold. */
function BanForm({ model, person, onDone, onBack }: BanFormProps): ReactElement {
  const { text } = useTexts();
  const [branch, setBranch] = useState(false);
  const isOpen = model.keeping.facts?.access !== "locked";
  const ban = (replaces: boolean): void => {
    void model.keeping.do("ban", person, { branch }).then(() => {
      if (replaces) void model.keeping.act({ kind: "replace-link" });
    });
    onDone();
  };
  return (
    <div className="ban">
      <p className="person-name">{text("ban.title")}</p>
      <p className="soft">{text(isOpen ? "ban.open" : "ban.locked")}</p>
      <Toggle label={text("ban.branch")} hint={text("ban.branch-hint")} isOn={branch} onChange={setBranch} />
      <Action look="danger" icon="ban" label={text("deed.ban")} onPress={() => ban(false)} />
      {model.keeping.may("direct") && (
        <Action look="danger" icon="link" label={text("ban.and-replace")} onPress={() => ban(true)} />
      )}
      <Action look="bare" label={text("common.back")} onPress={onBack} />
    </div>
  );
}
