import { useEffect, useRef, type ReactElement, type RefObject } from "react";
import { Input } from "react-aria-components/Input";
import { TextField } from "react-aria-components/TextField";
import type { RoomModel } from "../model/room.ts";
import { Action, Problem } from "./controls.tsx";
import { useTexts } from "./language.ts";
import { useValue } from "./use-value.ts";

interface TextsPanelProps {
  readonly model: RoomModel;
  readonly composer: RefObject<HTMLInputElement | null>;
}

/** Typing to the stage, for whoever cannot speak aloud where they are. */
export function TextsPanel({ model, composer }: TextsPanelProps): ReactElement {
  const { text, say } = useTexts();
  const texts = useValue(model.session.texts);
  const draft = useValue(model.draft);
  const problem = useValue(model.draftProblem);
  const list = useRef<HTMLOListElement>(null);
  useEffect(() => {
    list.current?.scrollTo({ top: list.current.scrollHeight });
  }, [texts]);
  return (
    <section className="panel panel-texts" aria-labelledby="texts-title">
      <h2 className="panel-title" id="texts-title">
        {text("texts.title")}
      </h2>
      {texts.length === 0 ? (
        <p className="faint">{text("texts.empty")}</p>
      ) : (
        // Focusable, so that it can be scrolled with keys.
        <ol className="texts" ref={list} tabIndex={0} aria-labelledby="texts-title">
          {texts.map(({ id, name, self, text: words }) => (
            <li key={id} className="text" data-self={self || undefined}>
              <bdi className="text-name">{self ? text("stage.you") : name === "" ? text("person.nameless") : name}</bdi>
              <p className="text-words" dir="auto">
                {words}
              </p>
            </li>
          ))}
        </ol>
      )}
      <form
        className="composer"
        onSubmit={(event) => {
          event.preventDefault();
          model.say();
        }}
      >
        <TextField
          className="composer-field"
          aria-label={text("texts.field")}
          value={draft}
          onChange={(next) => model.draft.set(next)}
        >
          <Input className="input" ref={composer} dir="auto" autoComplete="off" placeholder={text("texts.field")} />
        </TextField>
        <Action look="plain" icon="send" iconOnly type="submit" label={text("texts.send")} />
      </form>
      <Problem>{problem && say(problem)}</Problem>
    </section>
  );
}
