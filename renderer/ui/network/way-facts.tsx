import type { ReactElement } from "react";
import type { LinkKind } from "../../../p2p/api/link.ts";
import type { Rung } from "../../../p2p/api/way.ts";
import { failedSentence, type WayModel } from "../../model/start/way.ts";
import { useTexts } from "../language.ts";
import { useValue } from "../parts/use-value.ts";

interface WayFactsProps {
  readonly way: WayModel;
  /** By which kind of link sound comes; undefined while none does. */
  readonly kind: LinkKind | undefined;
}

/** What carries hands and text, and what carries sound. */
export function WayFacts({ way, kind }: WayFactsProps): ReactElement {
  const { text } = useTexts();
  const control = useValue(way.control);
  const words = (rung: Rung | undefined): string => text(rung === undefined ? "place.none" : `way.${rung}`);
  const soundWords = kind === "memory" ? text("place.memory") : words(kind === "stream" ? control : kind);
  const controlWords = kind === "memory" ? soundWords : words(control);
  if (soundWords === controlWords) return <Fact label={text("place.both")} words={soundWords} />;
  return (
    <>
      <Fact label={text("place.sound")} words={soundWords} />
      <Fact label={text("place.control")} words={controlWords} />
    </>
  );
}

function Fact({ label, words }: { readonly label: string; readonly words: string }): ReactElement {
  return (
    <div>
      <dt>{label}</dt>
      <dd>{words}</dd>
    </div>
  );
}

/** What was tried on this network and failed, in one line; nothing when nothing was. */
export function WayNote({ way }: { readonly way: WayModel }): ReactElement | null {
  const { say } = useTexts();
  const current = useValue(way.way);
  const failed = current && failedSentence(current);
  return failed === undefined ? null : <p className="way-note">{say(failed)}</p>;
}

/** Beside "connected": how it looks from outside. */
export function WayWords({ way }: { readonly way: WayModel }): ReactElement | null {
  const { text } = useTexts();
  const rung = useValue(way.way)?.rung ?? undefined;
  return rung === undefined ? null : <span className="pill-way">{text(`way.${rung}`)}</span>;
}
