import { join } from 'node:path';
import type { EpochMs } from '../../config/units.js';
import type { DemoNode } from './demo-node.js';
import type { DemoNodes } from './demo-nodes.js';
import type { Edit } from './edited-files.js';
import type { Spreading } from './spread.js';

/** What runs where, and what to try. @param parents the URL of the node above each replica, by its name */
export function welcome(
  { namespace, primary, replicas, wlis, proxy }: DemoNodes,
  parents: ReadonlyMap<string, string | null>,
  site: string,
): string {
  const last = replicas.at(-1) ?? primary;
  const below = (url: string, indent: string): string[] =>
    replicas.flatMap((node) =>
      parents.get(node.name) === url ? [nodeLine(node, indent), ...below(node.url, `${indent}  `)] : [],
    );
  return `One site on four nodes, each a process of its own. It is edited at one, and the same at all. A directory knows who
holds it, and a client-side proxy finds it:

${[nodeLine(primary, '  '), ...below(primary.url, '    '), nodeLine(wlis, '  '), nodeLine(proxy, '  ')].join('\n')}

Look at it at one of the nodes, in a browser at ${last.url}/ or:

  curl -i ${last.url}/
  curl -i ${last.url}/nothing-here
  curl -sI -H 'Accept-Encoding: gzip' ${primary.url}/protocol.html

Edit a file of ${site}, and watch the change spread below:

  echo '<p>More</p>' >> ${join(site, 'index.html')}
  echo '<h1>Hello</h1>' > ${join(site, 'hello.html')}; curl -i ${last.url}/hello.html
  rm ${join(site, 'hello.html')}

A file that is written has to rest for a second before it is published. Then every millisecond counts.

Read it by the client-side proxy, which was told nothing but where the directory is, and look at Cache-Status. Or have a
browser use ${proxy.url}/proxy.pac (automatic proxy configuration), and open http://demo.wlis/ there:

  curl -i -x ${proxy.url} ${namespace}
  curl -i -x ${proxy.url} http://demo.wlis/protocol.html
  node dist/proxy/main.js explain ${namespace} --config ${proxy.configFile}
  node dist/proxy/main.js groups --config ${proxy.configFile}

Ask a node how it fares, or whether all are in step:

  node dist/proxy/main.js status ${namespace} --config ${last.configFile}
  node dist/proxy/main.js lag --wait --config ${primary.configFile}

End the primary, ask its replicas again, and go on reading by the proxy:

  kill ${primary.pid}; curl -i ${last.url}/
  curl -i -x ${proxy.url} ${namespace}architecture.html

Ctrl-C ends all of it and removes what it has written. With faults, and a reader who checks every byte:

  npm run demo -- --chaos --for 1m
`;
}

const nodeLine = ({ name, url, pid }: DemoNode, indent: string): string =>
  `${(indent + name).padEnd(18)}${`${url}/`.padEnd(26)}process ${pid}`;

/** One line for a change: how long after the saving the primary had published it, and how much later each replica held it. */
export function spreadLine({ seq, edits, times }: Spreading, names: readonly string[], now: EpochMs): string {
  const [published = null] = times;
  const at = names.map((name, i) => {
    const time = times[i] ?? null;
    return i === 0 || time === null || published === null
      ? `${name} ${timeText(time)}`
      : `${name} +${timeText(time - published)}`;
  });
  return `${new Date(now).toTimeString().slice(0, 8)}  change ${seq}  ${editsText(edits)}  ${at.join('  ')}`;
}

const timeText = (time: number | null): string => (time === null ? '…' : `${Math.round(time)} ms`);

function editsText(edits: readonly Edit[]): string {
  const named = edits.slice(0, 2).map(({ file, isRemoved }) => (isRemoved ? `${file} removed` : file));
  const more = edits.length - named.length;
  return printable(more > 0 ? `${named.join(', ')} and ${more} more` : named.join(', '));
}

/** The name of a file may be anything. */
const printable = (text: string): string => text.replace(/[\p{Cc}\p{Cf}\p{Cs}]/gu, '?');
