const t0=performance.now();
const { createNode } = await import("../../../p2p/io/libp2p/node.ts");
const { createDiscovery } = await import("../../../p2p/io/libp2p/discovery.ts");
const { createCrypto } = await import("../../../p2p/io/crypto.ts");
const { encodeRecord, recordKeys, recordHour } = await import("../../../p2p/core/discovery/record.ts");
console.log("import", performance.now()-t0, process.memoryUsage.rss()/1e6);
const crypto=createCrypto(); const clock={now:()=>Date.now() as never, wakeAt:()=>()=>{}};
const wss = process.argv[2]==="wss";
const listen=[wss?"/ip4/127.0.0.1/tcp/0/tls/ws":"/ip4/127.0.0.1/tcp/0"];
const base={profile:"wss" as const,crypto,clock,tcp:!wss};
let t=performance.now();
const N=20; const servers=[];
for(let i=0;i<N;i++){ servers.push(await createNode({...base,privateKey:crypto.randomBytes(32),dht:"server",listen,bootstrap:i===0?[]:[servers[Math.floor(Math.random()*i)]!.addresses()[0]!]})); }
console.log("created",performance.now()-t, servers[3]!.addresses());
await Promise.all(servers.slice(1).map(s=>s.join()));
console.log("joined",performance.now()-t, process.memoryUsage.rss()/1e6);
const pub=await createNode({...base,privateKey:crypto.randomBytes(32),dht:"client",bootstrap:[servers[3]!.addresses()[0]!]});
const secret=crypto.randomBytes(32); const hour=recordHour(Date.now() as never);
const keys=recordKeys(crypto,secret,hour); const value=encodeRecord(crypto,secret,{hour,sequence:Date.now(),payload:new Uint8Array(10)});
t=performance.now();
await createDiscovery(pub,crypto).publish(keys[0]!,value,AbortSignal.timeout(20000)); console.log("publish",performance.now()-t);
t=performance.now(); await createDiscovery(pub,crypto).publish(keys[1]!,value,AbortSignal.timeout(20000)); console.log("publish2",performance.now()-t);
let copies=0; for(const s of servers){ copies += s.libp2p.components ? 0:0; }
const has=(s:any,k:Uint8Array)=>{let n=0; for(const key of s.libp2p.components.datastore.queryKeys({prefix:"/dht/record"})) n++; return n;};
console.log("copies",servers.map(s=>has(s,keys[0]!)).join(","), "table", servers.map(s=>(s.dht as any).routingTable.size).join(","));
// kill 5
await Promise.all(servers.slice(5,10).map(s=>s.stop()));
const reader=await createNode({...base,privateKey:crypto.randomBytes(32),dht:"client",bootstrap:[servers[17]!.addresses()[0]!]});
for (const k of [...keys, crypto.randomBytes(32)]) {t=performance.now(); let first=0,n=0; for await(const v of createDiscovery(reader,crypto).lookup(k,AbortSignal.timeout(20000))){ n++; first||=performance.now()-t;} console.log("lookup first",first,"end",performance.now()-t,"n",n);}
console.log(reader.libp2p.getConnections().length,"connections of reader", reader.libp2p.getProtocols(), servers[0]!.libp2p.getProtocols());
const p=await reader.libp2p.peerStore.get(servers[17]!.libp2p.peerId); console.log(new TextDecoder().decode(p.metadata.get("AgentVersion")), new TextDecoder().decode(p.metadata.get("ProtocolVersion")));
t=performance.now(); await Promise.all([...servers,pub,reader].map(s=>s.stop())); console.log("stop",performance.now()-t);
