import { multiaddr } from "@multiformats/multiaddr";
import { Nodes, addressOf } from "./nodes.ts";
const nodes=new Nodes();
const t=performance.now();
const relay=await nodes.create({profile:"lan",listen:["/ip4/127.0.0.1/udp/0/webrtc-direct"]});
console.log(relay.addresses(), performance.now()-t);
const l=await nodes.create({profile:"lan",bootstrap:["/ip4/127.0.0.1/udp/1/webrtc-direct"]});
try { const c=await l.libp2p.dial(multiaddr(addressOf(relay))); console.log("dialed", c.remoteAddr.toString(), performance.now()-t); } catch(e){console.log(e)}
await nodes.stop(); console.log("stopped");
