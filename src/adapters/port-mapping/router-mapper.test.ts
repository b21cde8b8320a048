/**
 * Routers that speak NAT-PMP (RFC 6886) or UPnP, honest and otherwise, in a network namespace that this test makes, and a computer in another: the file starts
 * itself in each.
 */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { createServer } from 'node:http';
import { after, before, type TestContext, test } from 'node:test';
import { mapPorts } from './port-mapping.ts';
import { routerMapper } from './router-mapper.ts';

const external = '203.0.113.9';
const inside = '10.78.0.1';
const [, , role, kind = ''] = process.argv;

/** What the computer in the other namespace came to. */
interface Seen {
  readonly addresses: readonly string[];
  readonly asked: readonly string[];
  /** What the log says of refusals, where an address is expected. */
  readonly refused: readonly string[];
}

if (role === 'router') runRouter();
else if (role === 'computer') await runComputer();
else declareTests();

/** Tells what it was asked when its standard input ends. */
function runRouter(): void {
  const asked: string[] = [];
  if (kind === 'nat-pmp') speakNatPmp(asked);
  else if (kind === 'mute') console.log('ready');
  else speakUpnp(asked);
  process.stdin
    .on('end', () => {
      console.log(JSON.stringify(asked));
      process.exit(0);
    })
    .resume();
}

/** Maps every port to the one above it. */
function speakNatPmp(asked: string[]): void {
  const socket = createSocket('udp4').bind(5351, () => console.log('ready'));
  socket.on('message', (message, from) => {
    const operation = message.readUInt8(1);
    const answer = Buffer.alloc(operation === 0 ? 12 : 16);
    answer.writeUInt8(128 + operation, 1);
    if (operation === 0) Buffer.from(external.split('.').map(Number)).copy(answer, 8);
    else {
      const port = message.readUInt16BE(4);
      asked.push(`${operation === 2 ? 'tcp' : 'udp'} ${port} ${message.readUInt32BE(8)} s`);
      answer.writeUInt16BE(port, 8);
      answer.writeUInt16BE(port + 1, 10);
      answer.writeUInt32BE(message.readUInt32BE(8), 12);
    }
    socket.send(answer, from.port, from.address);
  });
}

/** A router of version 1, as most are; `kind` says what is wrong with it. */
function speakUpnp(asked: string[]): void {
  const service = 'urn:schemas-upnp-org:service:WANIPConnection:1';
  const control =
    kind === 'control elsewhere' ? 'http://10.78.0.9:5000/control' : '/control?a=1&amp;b';
  const description = `<?xml version="1.0"?><root><device><serviceList>
    <service><serviceType>urn:schemas-upnp-org:service:Layer3Forwarding:1</serviceType><controlURL>/no</controlURL></service>
    <service><serviceType>${service}</serviceType><controlURL>${control}</controlURL></service>
  </serviceList></device></root>`;
  const server = createServer((request, response) => {
    if (kind === 'silent') return;
    let body = '';
    request.on('data', (part) => {
      body += String(part);
    });
    request.on('end', () => {
      if (kind === 'endless') {
        const more = (): void => {
          while (response.write('<service>'.repeat(1_000)));
        };
        response.on('drain', more);
        more();
        return;
      }
      const action = /#(\w+)"/.exec(String(request.headers['soapaction']))?.[1];
      const [status, said] =
        action === undefined ? [200, description] : answerTo(action, body, asked);
      response.writeHead(status, { 'content-type': 'text/xml' }).end(said);
    });
  });
  server.listen(5000, inside, () => {
    const socket = createSocket('udp4').bind(1900, () => {
      socket.addMembership('239.255.255.250', inside);
      console.log('ready');
    });
    socket.on('message', (message, from) => {
      if (!String(message).startsWith('M-SEARCH')) return;
      const host = kind === 'elsewhere' ? '10.78.0.9' : inside;
      const answer = `HTTP/1.1 200 OK\r\nCACHE-CONTROL: max-age=120\r\nST: urn:schemas-upnp-org:device:InternetGatewayDevice:1\r\nLOCATION: http://${host}:5000/root.xml\r\n\r\n`;
      socket.send(answer, from.port, from.address);
    });
  });
}

function answerTo(action: string, body: string, asked: string[]): [number, string] {
  const of = (name: string): string => new RegExp(`<${name}>(.*?)</`).exec(body)?.[1] ?? '';
  const port = of('NewExternalPort');
  const fault = (code: number): [number, string] => [
    500,
    `<s:Envelope><s:Body><s:Fault><detail><UPnPError><errorCode>${code}</errorCode></UPnPError></detail></s:Fault></s:Body></s:Envelope>`,
  ];
  if (action === 'GetExternalIPAddress') {
    const outside = kind === 'behind another' ? '192.168.1.4' : external;
    return [200, `<u:R xmlns:u="u"><NewExternalIPAddress>${outside}</NewExternalIPAddress></u:R>`];
  }
  const verb = action === 'AddPortMapping' ? 'add' : 'delete';
  const words = [verb, of('NewProtocol'), port];
  if (verb === 'add') words.push(of('NewInternalClient'), `${of('NewLeaseDuration')} s`);
  asked.push(words.join(' '));
  if (verb === 'add' && kind === 'taken' && Number(port) < 4749) return fault(718);
  if (verb === 'add' && kind === 'permanent' && of('NewLeaseDuration') !== '0') return fault(725);
  if (verb === 'delete' && !['TCP', 'UDP'].includes(of('NewProtocol'))) return fault(402);
  return [200, '<u:R xmlns:u="u"></u:R>'];
}

/** Until both protocols were mapped twice, or the first attempt failed. */
async function runComputer(): Promise<void> {
  const mapped = Promise.withResolvers<void>();
  let count = 0;
  const refused: string[] = [];
  const write = (_level: string, event: string, facts?: { readonly detail?: unknown }): void => {
    if (event === 'port-mapping.refused') refused.push(String(facts?.detail));
    if (event !== 'port-mapping.mapped') return;
    count += 1;
    if (count === 4) mapped.resolve();
  };
  const log = { write };
  // Nothing else keeps this process awake.
  const awake = setInterval(() => undefined, 1_000);
  const mapper = routerMapper({ log, answerMs: Number(kind) });
  const mapping = mapPorts([4747], { mapper, log, renewEveryMs: 300 });
  await mapping.tried;
  const { addresses } = mapping;
  if (addresses.length > 0) await mapped.promise;
  clearInterval(awake);
  await mapping.close();
  console.log(JSON.stringify({ addresses, refused }));
  process.exit(0);
}

function ip(...words: string[]): string | undefined {
  const { status, stderr, error } = spawnSync('ip', words, { encoding: 'utf8' });
  if (error !== undefined) return error.message;
  return status === 0 ? undefined : stderr.trim();
}

function declareTests(): void {
  const names = ['router', 'computer'].map((name) => `covault-${process.pid}-${name}`);
  const [router = '', computer = ''] = names;
  const cable = ['type', 'veth', 'peer', 'name', 'cable', 'netns', computer];
  let problem: string | undefined;
  before(() => {
    const steps = [
      ['netns', 'add', router],
      ['netns', 'add', computer],
      ['-n', router, 'link', 'add', 'cable', ...cable],
      ['-n', router, 'addr', 'add', `${inside}/24`, 'dev', 'cable'],
      ['-n', computer, 'addr', 'add', '10.78.0.2/24', 'dev', 'cable'],
      ['-n', router, 'link', 'set', 'cable', 'up'],
      ['-n', computer, 'link', 'set', 'cable', 'up'],
      ['-n', computer, 'route', 'add', 'default', 'via', inside],
    ];
    problem = steps.map((step) => ip(...step)).find((said) => said !== undefined);
  });
  after(() => {
    for (const name of names) ip('netns', 'del', name);
  });

  const within = (namespace: string, ...words: string[]): string[] => [
    ...['netns', 'exec', namespace, process.execPath, import.meta.filename],
    ...words,
  ];

  /** Undefined where there are no namespaces. */
  async function withRouter(
    context: TestContext,
    what: string,
    answerMs = 20_000,
  ): Promise<Seen | undefined> {
    if (problem !== undefined) {
      context.skip(`no network namespaces here: ${problem}`);
      return undefined;
    }
    const there = spawn('ip', within(router, 'router', what), {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    let said = '';
    const ready = Promise.withResolvers<void>();
    there.stdout.on('data', (part) => {
      said += String(part);
      ready.resolve();
    });
    const exited = new Promise((resolve) => there.once('close', resolve));
    await ready.promise;
    const asker = spawn('ip', within(computer, 'computer', String(answerMs)), {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let came = '';
    asker.stdout.on('data', (part) => {
      came += String(part);
    });
    await new Promise((resolve) => asker.once('close', resolve));
    there.stdin.end();
    await exited;
    return { ...JSON.parse(came), asked: JSON.parse(said.split('\n')[1] ?? '[]') };
  }

  test('a router that speaks NAT-PMP gives a port for an hour, renews it, and takes both protocols back', async (context) => {
    const seen = await withRouter(context, 'nat-pmp');
    if (seen === undefined) return;
    assert.deepEqual(seen.addresses, [`/ip4/${external}/tcp/4748`], seen.refused.join());
    const both = ['tcp 4747 3600 s', 'udp 4747 3600 s'];
    assert.deepEqual(seen.asked.slice(0, 4), [...both, ...both]);
    assert.deepEqual(seen.asked.slice(-2), ['tcp 4747 0 s', 'udp 4747 0 s']);
  });

  test('a router that speaks UPnP gives a port for an hour, renews it, and takes both protocols back', async (context) => {
    const seen = await withRouter(context, 'honest');
    if (seen === undefined) return;
    assert.deepEqual(seen.addresses, [`/ip4/${external}/tcp/4747`], seen.refused.join());
    const both = ['add TCP 4747 10.78.0.2 3600 s', 'add UDP 4747 10.78.0.2 3600 s'];
    assert.deepEqual(seen.asked.slice(0, 4), [...both, ...both]);
    assert.deepEqual(seen.asked.slice(-2), ['delete TCP 4747', 'delete UDP 4747']);
  });

  test('where a port outside is another computer’s the next free one is taken, for both protocols', async (context) => {
    const seen = await withRouter(context, 'taken');
    if (seen === undefined) return;
    assert.deepEqual(seen.addresses, [`/ip4/${external}/tcp/4749`], seen.refused.join());
    assert.ok(seen.asked.includes('add UDP 4749 10.78.0.2 3600 s'));
    assert.deepEqual(seen.asked.slice(-2), ['delete TCP 4749', 'delete UDP 4749']);
  });

  test('a router that maps for ever or not at all is asked to map for ever, and to forget it at the end', async (context) => {
    const seen = await withRouter(context, 'permanent');
    if (seen === undefined) return;
    assert.deepEqual(seen.addresses, [`/ip4/${external}/tcp/4747`], seen.refused.join());
    assert.ok(seen.asked.includes('add TCP 4747 10.78.0.2 0 s'));
    assert.deepEqual(seen.asked.slice(-2), ['delete TCP 4747', 'delete UDP 4747']);
  });

  for (const [what, words] of [
    ['elsewhere', 'says that it is described on another host'],
    ['control elsewhere', 'says that it is controlled on another host'],
    ['behind another', 'stands behind another router'],
    ['endless', 'never ends its answer'],
    ['silent', 'answers the search and nothing after it'],
    ['mute', 'answers nothing'],
  ] as const)
    test(`a router that ${words} gives no address, and is asked for no port`, async (context) => {
      const seen = await withRouter(context, what, 1_500);
      if (seen === undefined) return;
      assert.deepEqual([seen.addresses, seen.asked], [[], []]);
      assert.equal(seen.refused.length, 1);
    });
}
