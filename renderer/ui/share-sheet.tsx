import { useState, type ReactElement } from "react";
import { Radio, RadioGroup } from "react-aria-components/RadioGroup";
import { Label } from "react-aria-components/Label";
import type { Invites } from "../../p2p/api/engine.ts";
import type { RoomModel } from "../model/room.ts";
import { Action, Problem, Sheet } from "./controls.tsx";
import { useTexts } from "./language.ts";
import { QrCode } from "./qr-code.tsx";
import { useValue } from "./use-value.ts";

interface ShareSheetProps {
  readonly model: RoomModel;
  readonly isOpen: boolean;
  readonly onClose: () => void;
}

const roles: readonly (keyof Invites)[] = ["listener", "speaker", "moderator", "heir"];

/** Passes the room on. The invite is a secret: it is copied unseen, and shown only when asked for. */
export function ShareSheet({ model, isOpen, onClose }: ShareSheetProps): ReactElement {
  const { text } = useTexts();
  const { invites } = useValue(model.session.sharing);
  const [role, setRole] = useState<keyof Invites>("listener");
  const offered = roles.filter((one) => invites[one] !== undefined);
  const invite = invites[role] ?? "";
  return (
    <Sheet title={text("share.title")} isOpen={isOpen} onClose={onClose}>
      {offered.length === 0 ? (
        <p className="soft">{text("share.none")}</p>
      ) : (
        <div className="stack">
          {offered.length > 1 && (
            <RadioGroup className="field" value={role} onChange={(next) => setRole(next as keyof Invites)}>
              <Label className="field-label">{text("share.who")}</Label>
              <div className="segments">
                {offered.map((one) => (
                  <Radio key={one} value={one} className="segment">
                    {text(`role.${one}`)}
                  </Radio>
                ))}
              </div>
            </RadioGroup>
          )}
          <p className="soft">{text(`share.${role}`)}</p>
          <InviteActions key={role} invite={invite} />
        </div>
      )}
    </Sheet>
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
