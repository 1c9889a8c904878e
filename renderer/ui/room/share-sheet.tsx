import { useState, type ReactElement } from "react";
import { Input } from "react-aria-components/Input";
import { Label } from "react-aria-components/Label";
import { Radio, RadioGroup } from "react-aria-components/RadioGroup";
import { TextField } from "react-aria-components/TextField";
import type { Invites } from "../../../p2p/api/engine.ts";
import type { IssuedInvite } from "../../../p2p/api/room.ts";
import { expiries, inviteRoles, type InviteDesk, type InviteRole } from "../../model/room/invites.ts";
import type { RoomModel } from "../../model/room/room.ts";
import { Action, Chooser, Problem, Sheet, Toggle } from "../parts/controls.tsx";
import { useTexts } from "../language.ts";
import { QrCode } from "./qr-code.tsx";
import { useValue } from "../parts/use-value.ts";

interface ShareSheetProps {
  readonly model: RoomModel;
  readonly isOpen: boolean;
  readonly onClose: () => void;
}

/** Passes the room on. The invite is a secret: it is copied unseen, and shown only when asked for. */
export function ShareSheet({ model, isOpen, onClose }: ShareSheetProps): ReactElement {
  const { text } = useTexts();
  return (
    <Sheet
      title={text("share.title")}
      isOpen={isOpen}
      onClose={() => {
        model.invites.forget();
        onClose();
      }}
    >
      <Sharing model={model} />
    </Sheet>
  );
}

function Sharing({ model }: { readonly model: RoomModel }): ReactElement {
  const { text } = useTexts();
  const { invites } = useValue(model.session.sharing);
  const rights = useValue(model.session.facts)?.rights ?? [];
  const [role, setRole] = useState<keyof Invites>("listener");
  const [own, setOwn] = useState(false);
  const mayIssue = rights.includes("appoint");
  const offered = inviteRoles.filter((one) => invites[one] !== undefined);
  const invite = invites[role] ?? "";
  return (
    <div className="stack">
      {offered.length === 0 && !mayIssue && <p className="soft">{text("share.none")}</p>}
      {!own && offered.length > 0 && (
        <>
          {offered.length > 1 && <RoleChoice role={role} offered={offered} onChoose={setRole} />}
          <p className="soft">{text(`share.${role}`)}</p>
          <InviteActions key={role} invite={invite} />
        </>
      )}
      {mayIssue && !own && offered.length > 0 && (
        <Action icon="settings" label={text("share.own")} onPress={() => setOwn(true)} />
      )}
      {mayIssue && (own || offered.length === 0) && <OwnInvite desk={model.invites} />}
      {mayIssue && <IssuedList desk={model.invites} />}
    </div>
  );
}

interface RoleChoiceProps {
  readonly role: InviteRole;
  readonly offered: readonly InviteRole[];
  readonly onChoose: (role: InviteRole) => void;
}

function RoleChoice({ role, offered, onChoose }: RoleChoiceProps): ReactElement {
  const { text } = useTexts();
  return (
    <RadioGroup className="field" value={role} onChange={(next) => onChoose(next as InviteRole)}>
      <Label className="field-label">{text("share.who")}</Label>
      <div className="segments">
        {offered.map((one) => (
          <Radio key={one} value={one} className="segment">
            {text(`role.${one}`)}
          </Radio>
        ))}
      </div>
    </RadioGroup>
  );
}

/** An invite with terms of its own. */
function OwnInvite({ desk }: { readonly desk: InviteDesk }): ReactElement {
  const { text, say } = useTexts();
  const role = useValue(desk.role);
  const expiresInMs = useValue(desk.expiresInMs);
  const singleUse = useValue(desk.singleUse);
  const passphrase = useValue(desk.passphrase);
  const problem = useValue(desk.problem);
  const made = useValue(desk.made);
  return (
    <form
      className="stack"
      onSubmit={(event) => {
        event.preventDefault();
        void desk.make();
      }}
    >
      <RoleChoice role={role} offered={inviteRoles} onChoose={(next) => desk.role.set(next)} />
      <p className="soft">{text(`share.${role}`)}</p>
      <Chooser
        label={text("share.expires")}
        choices={expiries.map((ms) => ({ id: String(ms), label: text("share.hours", { count: ms / 3_600_000 }) }))}
        chosen={String(expiresInMs)}
        onChoose={(id) => desk.expiresInMs.set(Number(id))}
      />
      <Toggle
        label={text("share.single")}
        hint={text("share.single-hint")}
        isOn={singleUse}
        onChange={(on) => desk.singleUse.set(on)}
      />
      <TextField className="field" value={passphrase} onChange={(next) => desk.passphrase.set(next)} maxLength={128}>
        <Label className="field-label">{text("share.passphrase")}</Label>
        <Input className="input" dir="auto" autoComplete="off" spellCheck="false" />
        <p className="faint">{text("share.passphrase-hint")}</p>
      </TextField>
      <Problem>{problem && say(problem)}</Problem>
      <div className="row">
        <Action look={made === undefined ? "main" : "plain"} type="submit" label={text("share.make")} />
      </div>
      {made !== undefined && <InviteActions key={made.text} invite={made.text} />}
    </form>
  );
}

/** What was given out, and the way to take it back. */
function IssuedList({ desk }: { readonly desk: InviteDesk }): ReactElement | null {
  const { text } = useTexts();
  const issued = useValue(desk.issued);
  if (issued.length === 0) return null;
  return (
    <section aria-labelledby="issued-title">
      <h3 className="sheet-part" id="issued-title">
        {text("share.issued")}
      </h3>
      <ul className="issued">
        {issued.toReversed().map((one) => (
          <IssuedRow key={one.id} invite={one} onRevoke={() => void desk.revoke(one.id)} />
        ))}
      </ul>
    </section>
  );
}

function IssuedRow({
  invite,
  onRevoke,
}: {
  readonly invite: IssuedInvite;
  readonly onRevoke: () => void;
}): ReactElement {
  const { text, language } = useTexts();
  const { role, expires, singleUse, hasPassphrase, revoked } = invite;
  const time = new Intl.DateTimeFormat(language, { dateStyle: "short", timeStyle: "short" }).format(expires);
  const terms = [
    text("share.until", { time }),
    ...(singleUse ? [text("share.single")] : []),
    ...(hasPassphrase ? [text("share.with-passphrase")] : []),
  ];
  return (
    <li className="issued-row" data-revoked={revoked || undefined}>
      <span>
        <strong>{text(`role.${role}`)}</strong>
        <span className="faint">{terms.join(" · ")}</span>
      </span>
      {revoked ? (
        <span className="faint">{text("share.revoked")}</span>
      ) : (
        <Action look="danger" label={text("share.revoke")} onPress={onRevoke} />
      )}
    </li>
  );
}

function InviteActions({ invite }: { readonly invite: string }): ReactElement {
  const { text } = useTexts();
  const [shown, setShown] = useState(false);
  const [copied, setCopied] = useState<"yes" | "refused" | undefined>(undefined);
  const copy = (): void => {
    navigator.clipboard.writeText(invite).then(
      () => setCopied("yes"),
      () => {
        setCopied("refused");
        setShown(true);
      },
    );
  };
  return (
    <>
      <div className="row">
        <Action
          look="main"
          icon={copied === "yes" ? "check" : "copy"}
          label={text(copied === "yes" ? "notice.copied" : "share.copy")}
          onPress={copy}
        />
        <Action icon="file" label={text("share.save")} onPress={() => save(invite)} />
        <Action
          look="bare"
          icon="eye"
          label={text(shown ? "share.hide" : "share.show")}
          onPress={() => setShown(!shown)}
        />
      </div>
      <p className="hidden-words" role="status">
        {copied === "yes" ? text("notice.copied") : ""}
      </p>
      <Problem>{copied === "refused" ? text("fault.copy-refused") : undefined}</Problem>
      {shown && (
        <div className="share-shown">
          <QrCode text={invite} />
          <textarea
            className="input input-secret"
            rows={4}
            readOnly
            dir="ltr"
            aria-label={text("share.text")}
            value={invite}
            onFocus={(event) => event.currentTarget.select()}
          />
        </div>
      )}
    </>
  );
}

/** As a file, for a stick or a card: it is named like any other text, since names of files are seen. */
function save(invite: string): void {
  const url = URL.createObjectURL(new Blob([`${invite}\n`], { type: "text/plain" }));
  const anchor = document.createElement("a");
  anchor.href = url;
  anchor.download = "invite.txt";
  anchor.click();
  URL.revokeObjectURL(url);
}
