import type { ReactElement } from "react";
import type { OpenRoom } from "../../../p2p/api/room.ts";
import type { Hall } from "../../model/start/hall.ts";
import { Action, Problem } from "../parts/controls.tsx";
import { useTexts } from "../language.ts";
import { useValue } from "../parts/use-value.ts";

interface HallCardProps {
  readonly hall: Hall;
  /** Goes on with an invite. */
  readonly onChoose: (invite: string) => void;
}

/** Rooms whose hosts let anybody in. They are looked for when a person says so. */
export function HallCard({ hall, onChoose }: HallCardProps): ReactElement {
  const { text, say } = useTexts();
  const rooms = useValue(hall.rooms);
  const isLooking = useValue(hall.isLooking);
  const problem = useValue(hall.problem);
  const isFirst = rooms === undefined && problem === undefined;
  return (
    <section className="card card-quiet hall">
      <div className="hall-head">
        <h2 className="card-title">{text("hall.title")}</h2>
        <p className="soft">{text("hall.teaser")}</p>
      </div>
      <Action
        label={text(isLooking ? "hall.looking" : isFirst ? "hall.look" : "hall.again")}
        isDisabled={isLooking}
        onPress={() => void hall.look()}
      />
      <div className="hall-found" role="status">
        {rooms?.length === 0 && !isLooking && <p className="soft">{text("hall.none")}</p>}
        {rooms !== undefined && rooms.length > 0 && (
          <ul className="hall-rooms">
            {rooms.map((room) => (
              <HallRoom key={room.room} room={room} onChoose={onChoose} />
            ))}
          </ul>
        )}
        <Problem>{problem && say(problem)}</Problem>
        <p className="faint">{text("hall.asks")}</p>
      </div>
    </section>
  );
}

interface HallRoomProps {
  readonly room: OpenRoom;
  readonly onChoose: (invite: string) => void;
}

function HallRoom({ room: { title, members, invite }, onChoose }: HallRoomProps): ReactElement {
  const { text } = useTexts();
  const name = title === "" ? text("hall.nameless") : title;
  return (
    <li className="hall-room">
      <div>
        <bdi className="hall-name">{name}</bdi>
        <p className="faint">{text("hall.members", { count: members })}</p>
      </div>
      <Action
        words={text("hall.enter")}
        label={text("hall.enter-room", { title: name })}
        onPress={() => onChoose(invite)}
      />
    </li>
  );
}
