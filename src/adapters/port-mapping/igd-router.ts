/**
 * A router that speaks UPnP, versions 1 and 2 (WANIPConnection:1 and :2, WANPPPConnection:1): it describes where it is controlled, and takes SOAP there.
 *
 * It is asked at its own address only, its answers are read up to a limit, and of their XML just the text of the few elements that matter.
 */
import type { FoundIgd } from './igd-search.ts';
import { isOutside, leaseSeconds, PortTaken, type PortWish, type Router } from './router.ts';

interface Service {
  readonly type: string;
  readonly control: URL;
}

const answerMaximumBytes = 65_536;
const servicesMaximum = 4;
/** Codes of refusals (WANIPConnection:2, §2.7). */
const codes = { conflict: '718', samePortsOnly: '724', permanentOnly: '725' } as const;

/** Reads the description, and takes the first of its connections that leads outside. */
export async function igdRouter(found: FoundIgd, signal: AbortSignal): Promise<Router> {
  const text = await ask(found.location, { signal });
  for (const service of servicesIn(text, found.location)) {
    const router = new IgdRouter(service, found.ownAddress);
    const outside = await router.externalHost(signal).catch(() => '');
    if (isOutside(outside)) return router;
  }
  throw new Error('UPnP: no connection that leads outside');
}

class IgdRouter implements Router {
  readonly #service: Service;
  readonly #ownAddress: string;

  constructor(service: Service, ownAddress: string) {
    this.#service = service;
    this.#ownAddress = ownAddress;
  }

  async externalHost(signal: AbortSignal): Promise<string> {
    const answer = await this.#call('GetExternalIPAddress', {}, signal);
    return elementIn(answer, 'NewExternalIPAddress') ?? '';
  }

  async map(wish: PortWish, signal: AbortSignal): Promise<number> {
    try {
      await this.#add(wish, { leaseSeconds, signal });
    } catch (problem) {
      if (!(problem instanceof IgdRefusal)) throw problem;
      if (problem.code === codes.conflict || problem.code === codes.samePortsOnly)
        throw new PortTaken(problem.message);
      if (problem.code !== codes.permanentOnly) throw problem;
      await this.#add(wish, { leaseSeconds: 0, signal });
    }
    return wish.externalPort;
  }

  async unmap({ externalPort, protocol }: PortWish, signal: AbortSignal): Promise<void> {
    const which = {
      NewRemoteHost: '',
      NewExternalPort: externalPort,
      NewProtocol: protocol.toUpperCase(),
    };
    await this.#call('DeletePortMapping', which, signal);
  }

  async #add(
    { port, externalPort, protocol }: PortWish,
    terms: { readonly leaseSeconds: number; readonly signal: AbortSignal },
  ): Promise<void> {
    const wanted = {
      NewRemoteHost: '',
      NewExternalPort: externalPort,
      NewProtocol: protocol.toUpperCase(),
      NewInternalPort: port,
      NewInternalClient: this.#ownAddress,
      NewEnabled: 1,
      NewPortMappingDescription: 'covault',
      NewLeaseDuration: terms.leaseSeconds,
    };
    await this.#call('AddPortMapping', wanted, terms.signal);
  }

  #call(
    action: string,
    given: Readonly<Record<string, string | number>>,
    signal: AbortSignal,
  ): Promise<string> {
    const { type, control } = this.#service;
    const words = Object.entries(given).map(([name, value]) => `<${name}>${value}</${name}>`);
    const body = `<?xml version="1.0"?>
<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" s:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/"><s:Body><u:${action} xmlns:u="${type}">${words.join('')}</u:${action}></s:Body></s:Envelope>`;
    return ask(control, { signal, body, action: `"${type}#${action}"` });
  }
}

/** The router said no, with a code. */
class IgdRefusal extends Error {
  readonly code: string;

  constructor(code: string) {
    super(`UPnP: refused (${code})`);
    this.code = code;
  }
}

interface Question {
  readonly signal: AbortSignal;
  readonly body?: string;
  readonly action?: string;
}

async function ask(where: URL, { signal, body, action }: Question): Promise<string> {
  const post =
    body === undefined || action === undefined
      ? {}
      : {
          method: 'POST',
          body,
          headers: { 'content-type': 'text/xml; charset="utf-8"', soapaction: action },
        };
  const response = await fetch(where, { ...post, signal, redirect: 'error' });
  const text = await boundedText(response);
  if (response.ok) return text;
  throw new IgdRefusal(elementIn(text, 'errorCode') ?? String(response.status));
}

async function boundedText({ body }: Response): Promise<string> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of body ?? []) {
    length += part.length;
    if (length > answerMaximumBytes) throw new Error('UPnP: an answer without end');
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}

/** The text of the first such element, whatever its namespace is called. */
function elementIn(xml: string, name: string): string | undefined {
  const found = new RegExp(`<(?:[\\w-]+:)?${name}(?:\\s[^<>]*)?>([^<]{0,256})</`).exec(xml);
  return found?.[1]?.trim();
}

/** Connections to the outside, controlled on the host that describes them. */
export function servicesIn(description: string, location: URL): readonly Service[] {
  const services: Service[] = [];
  for (const part of description.split(/<service>/).slice(1)) {
    const type = elementIn(part, 'serviceType') ?? '';
    const path = (elementIn(part, 'controlURL') ?? '').replaceAll('&amp;', '&');
    const isConnection = /^urn:schemas-upnp-org:service:WAN(IP|PPP)Connection:[12]$/.test(type);
    if (!isConnection || !URL.canParse(path, location.href)) continue;
    const control = new URL(path, location.href);
    if (control.protocol !== 'http:' || control.hostname !== location.hostname) continue;
    services.push({ type, control });
  }
  return services.slice(0, servicesMaximum);
}
