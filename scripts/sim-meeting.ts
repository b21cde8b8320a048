/**
 * What finding partners costs each computer, by how many computers there are (docs/simulation.md).
 *
 *   npm run sim:meeting -- --peers 50,200
 *   npm run sim:meeting -- --peers 1000 --idle-hours 2 --open-share 0.3 --seed another
 */
import { parseArgs } from 'node:util';
import { loadKernels } from '../src/adapters/kernels/kernel-files.ts';
import { type MeetingCost, meetingCost, type Spent } from '../src/sim/meeting-cost.ts';
import { withUsage } from './script-options.ts';

const { values } = withUsage(import.meta.filename, () =>
  parseArgs({
    options: {
      peers: { type: 'string', default: '50,200' },
      seed: { type: 'string', default: 'meeting' },
      'idle-hours': { type: 'string', default: '24' },
      'open-share': { type: 'string', default: '0' },
      quiet: { type: 'boolean', default: false },
    },
  }),
);

const heads = [
  'peers',
  'minutes',
  'short',
  'queries and offers',
  'references asked',
  'lookups',
  'most asked',
  'most answered',
  'kB',
  'idle day: requests',
  'most asked',
  'kB',
];

function row({ peers, meetingMs, short, meeting, idleDay }: MeetingCost): string {
  const kilobytes = ({ bytes }: Spent): string => (bytes / 1_000).toFixed(0);
  const cells = [
    String(peers),
    (meetingMs / 60_000).toFixed(1),
    String(short),
    (meeting.asked.get('negotiation') ?? 0).toFixed(1),
    (meeting.asked.get('records') ?? 0).toFixed(1),
    meeting.lookups.toFixed(1),
    String(meeting.mostAsked),
    String(meeting.mostAnswered),
    kilobytes(meeting),
    idleDay.requests.toFixed(0),
    String(idleDay.mostAsked),
    kilobytes(idleDay),
  ];
  return `| ${cells.join(' | ')} |`;
}

console.log(`| ${heads.join(' | ')} |\n|${' ---: |'.repeat(heads.length)}`);
const kernels = loadKernels();
for (const peers of values.peers.split(',').map(Number)) {
  const cost = await meetingCost({
    ...{ peers, kernels, seed: values.seed },
    idleHours: Number(values['idle-hours']),
    openShare: Number(values['open-share']),
    ...(values.quiet
      ? {}
      : { onProgress: (line: string) => console.error(`${peers} peers, ${line}`) }),
  });
  console.log(row(cost));
}
