/** Prints the ms that a fresh process needs to load the WebRTC library and to open one data channel to itself. */
import { linkId, type PeerId } from "../../../p2p/api/ids.ts";
import { NativeChannels } from "../../../p2p/io/links/native-channel.ts";
import { negotiateAnswer, negotiateOffer } from "../../../p2p/io/links/webrtc-link.ts";
import { loadNativeWebRtc } from "../../../p2p/io/links/wrtc.ts";

const startedAt = performance.now();
const native = await loadNativeWebRtc();
if (native === undefined) throw new Error("There is no native WebRTC library for this system.");
const channels = new NativeChannels(native, { bindAddress: "127.0.0.1" });
const offering = negotiateOffer(channels, { id: linkId(1), remote: "bb".repeat(32) as PeerId });
const answering = negotiateAnswer(channels, await offering.description, {
  id: linkId(2),
  remote: "aa".repeat(32) as PeerId,
});
offering.accept(await answering.description);
answering.accept(offering.candidates());
await Promise.all([offering.link, answering.link]);
process.stdout.write(`${performance.now() - startedAt}\n`, () => process.exit(0));
