/** What scripts say to `--help`, and to options that they do not have: the lines of usage in their header. */
import { readFileSync } from 'node:fs';

/** What `parse` gives. `script`: the path of the file that is run. Ends the process, with 2 when `parse` throws a TypeError. */
export function withUsage<Values>(script: string, parse: () => Values): Values {
  if (process.argv.includes('--help')) {
    console.log(usageOf(script));
    process.exit(0);
  }
  try {
    return parse();
  } catch (problem) {
    if (!(problem instanceof TypeError)) throw problem;
    console.error(`${problem.message}\n\n${usageOf(script)}`);
    process.exit(2);
  }
}

function usageOf(script: string): string {
  const [header = ''] = readFileSync(script, 'utf8').split('*/');
  const lines = header.split('\n').filter((line) => line.startsWith(' *   npm run '));
  return lines.map((line) => line.slice(' *   '.length)).join('\n');
}
