import { useState, type ReactElement } from "react";
import { Input } from "react-aria-components/Input";
import { TextField } from "react-aria-components/TextField";
import type { RoomPerson } from "../../../p2p/api/room.ts";
import type { RoomModel } from "../../model/room/room.ts";
import { Avatar } from "../parts/avatar.tsx";
import { Sheet } from "../parts/controls.tsx";
import { Icon } from "../parts/icon.tsx";
import { useTexts, type TextKey } from "../language.ts";
import { PersonButton } from "./person-card.tsx";
import { useValue } from "../parts/use-value.ts";

/** People drawn of one kind; whoever looks for another types a part of the name. */
const shownMax = 60;

interface PeopleSheetProps {
  readonly model: RoomModel;
  readonly isOpen: boolean;
  readonly onClose: () => void;
}

/** Everybody whom the room knows by name, and what can be done about each. */
export function PeopleSheet({ model, isOpen, onClose }: PeopleSheetProps): ReactElement {
  const { text } = useTexts();
  return (
    <Sheet title={text("people.title")} isOpen={isOpen} onClose={onClose}>
      <People model={model} />
    </Sheet>
  );
}

function People({ model }: { readonly model: RoomModel }): ReactElement {
  const { text } = useTexts();
  const facts = useValue(model.session.facts);
  const { listeners } = useValue(model.session.crowd);
  const [sought, setSought] = useState("");
  const wanted = sought.trim().toLocaleLowerCase();
  const people = (facts?.people ?? []).filter(({ name }) => name.toLocaleLowerCase().includes(wanted));
  const isKeeper = ({ role }: RoomPerson): boolean => role === "host" || role === "heir" || role === "moderator";
  const present = people.filter(({ banned }) => !banned);
  return (
    <div className="stack">
      <p className="soft">{text("people.lead", { count: listeners })}</p>
      <TextField className="field" aria-label={text("people.search")} value={sought} onChange={setSought}>
        <Input className="input" dir="auto" autoComplete="off" placeholder={text("people.search")} />
      </TextField>
      <PeopleList heading="people.keepers" people={present.filter(isKeeper)} model={model} />
      <PeopleList
        heading="people.on-stage"
        people={present.filter((one) => one.voice !== null && !isKeeper(one))}
        model={model}
      />
      <PeopleList
        heading="people.others"
        people={present.filter((one) => one.voice === null && !isKeeper(one))}
        model={model}
      />
      <PeopleList heading="people.banned" people={people.filter(({ banned }) => banned)} model={model} />
    </div>
  );
}

interface PeopleListProps {
  readonly heading: Extract<TextKey, `people.${string}`>;
  readonly people: readonly RoomPerson[];
  readonly model: RoomModel;
}

function PeopleList({ heading, people, model }: PeopleListProps): ReactElement | null {
  const { text } = useTexts();
  if (people.length === 0) return null;
  return (
    <section className="people" aria-label={text(heading)}>
      <h3 className="sheet-part">
        {text(heading)} <span className="faint">{people.length}</span>
      </h3>
      <ul>
        {people.slice(0, shownMax).map((person) => (
          <li key={person.identity}>
            {person.self ? (
              <span className="person-row">
                <PersonRow person={person} />
              </span>
            ) : (
              <PersonButton model={model} identity={person.identity} name={person.name} className="person-row">
                <PersonRow person={person} />
              </PersonButton>
            )}
          </li>
        ))}
      </ul>
      {people.length > shownMax && <p className="faint">{text("hands.more", { count: people.length - shownMax })}</p>}
    </section>
  );
}

function PersonRow({ person }: { readonly person: RoomPerson }): ReactElement {
  const { text } = useTexts();
  const { identity, name, role, self, muted, silenced, records, invitedToStage, lookAlike } = person;
  const signs: readonly (readonly [boolean, TextKey])[] = [
    [muted === "keeper", "stage.muted-keeper"],
    [silenced, "people.silenced"],
    [records, "stage.records"],
    [invitedToStage, "people.invited"],
  ];
  return (
    <>
      <span className="person-bowl">
        <Avatar identity={identity} />
      </span>
      <span className="person-row-words">
        <bdi className="person-row-name">{name === "" ? text("person.nameless") : name}</bdi>
        <span className="faint">
          {self ? text("stage.you") : text(`role.${role}`)}
          {signs.flatMap(([holds, key]) => (holds ? [` · ${text(key)}`] : []))}
        </span>
        {lookAlike && (
          <span className="person-row-warning">
            <Icon name="warning" />
            {text("person.look-alike")}
          </span>
        )}
      </span>
    </>
  );
}
