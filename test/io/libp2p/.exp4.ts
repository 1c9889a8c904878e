import { Nodes, addressOf, tcpAddress, crypto } from "./nodes.ts"; import { Walk } from "../../../p2p/io/libp2p/walk.ts";
import { encodeRecord, recordKeys, recordHour } from "../../../p2p/core/discovery/record.ts";
const n=new Nodes(); const o={listen:["/ip4/127.0.0.1/tcp/0/tls/ws"],dht:"server" as const}; const s=[];
for(let i=0;i<20;i++) s.push(await n.create({...o,bootstrap:i?[addressOf(s[Math.floor(Math.random()*i)]!)]:[]}));
await Promise.all(s.slice(1).map(x=>x.join()));
const c=await n.create({...o,listen:[],dht:"client",bootstrap:[addressOf(s[3]!)]}); await c.join();
await new Promise(r=>setTimeout(r,6000));
const secret=crypto.randomBytes(32); const hour=recordHour(Date.now() as never); const keys=recordKeys(crypto,secret,hour);
for (const k of keys) { const key=Buffer.concat([Buffer.from("/teahouse/"),k]);
const w=new Walk(c.libp2p,c.dht!,crypto,key,AbortSignal.timeout(20000)); let t=performance.now(); const orig=(w as any);
for await (const a of w.run("FIND_NODE")) void a;
console.log("walk",(performance.now()-t)|0); t=performance.now(); console.log(await w.put(encodeRecord(crypto,secret,{hour,sequence:Date.now(),payload:new Uint8Array(3)})),"put",(performance.now()-t)|0);}
await n.stop();
