import { isMedia } from "../../core/peer/packets.ts";
import { Room } from "../../core/peer/room.ts";
import { type Figure, figureOf } from "../figure.ts";

/** Around a message of a data channel on IPv4: IP 20, UDP 8, a DTLS 1.2 record with AES-GCM 37, SCTP's head 12 and a chunk's 16. */
const aroundBytes = 20 + 8 + 37 + 12 + 16;
/** A frame of 20 ms at 24 kbit/s as the baseline signs and sends it: our own heads, its own seal and signature. */
const baselineMessageBytes = 2 + 12 + 4 + 60 + 8 + 64;
const seconds = 20;

/** T8: bytes to one listener, against a signature on each frame of 20 ms and a message for each. */
export function measureBytes(): Promise<readonly Figure[]> {
  return Promise.resolve([figureFor(1, 0.65), figureFor(3, 0.5)]);
}

function figureFor(speakers: number, goal: number): Figure {
  const { bytesPerSecond, messagesPerSecond } = listen(speakers);
  const baseline = speakers * 50 * (baselineMessageBytes + aroundBytes);
  return figureOf({
    id: "T8",
    what: `bytes a second on the wire to a listener, ${speakers} open microphone${speakers === 1 ? "" : "s"} ÷ each frame of 20 ms signed and sent by itself`,
    goal,
    better: "less",
    sides: { ours: Math.round(bytesPerSecond), baseline, messages: messagesPerSecond },
  });
}

/** What one relay sends to a listener while so many people speak, each at its own moment of the tick. */
function listen(speakers: number): { readonly bytesPerSecond: number; readonly messagesPerSecond: number } {
  const room = new Room(`bytes ${speakers}`);
  const relay = room.addRelay();
  const host = room.addPerson();
  room.host(host, [relay]);
  room.run(1000);
  const others = Array.from({ length: speakers - 1 }, () => room.addPerson());
  const listener = room.addPerson();
  for (const person of [...others, listener]) room.join(person, room.invite(host));
  room.run(1000);
  for (const person of others) room.command(person, { kind: "raise-hand" });
  room.run(3000);
  const stage = [host, ...others];
  const talk = (ticks: number, from: number): void => {
    for (let tick = 0; tick < ticks; tick++) {
      for (const [index, speaker] of stage.entries()) {
        room.speak(speaker, from + tick);
        room.run(index === stage.length - 1 ? 40 - 10 * index : 10);
      }
    }
  };
  talk(25, 0);
  let bytesSent = 0;
  let messages = 0;
  room.filter = ({ from, to, bytes }) => {
    if (from !== relay || to !== listener) return true;
    bytesSent += bytes.length + aroundBytes;
    if (isMedia(bytes)) messages++;
    return true;
  };
  talk(25 * seconds, 25);
  return { bytesPerSecond: bytesSent / seconds, messagesPerSecond: messages / seconds };
}
