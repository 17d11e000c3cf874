import { parse, defaultTreeAdapter, type DefaultTreeAdapterTypes } from 'parse5';

type Node = DefaultTreeAdapterTypes.Node;

/** Whether a browser runs scripts makes two documents of a page: what is in `noscript` is text, or markup. */
export const ways = [true, false] as const;

/** A document as a browser has it, in lines that can be compared. */
export function domOf(html: string, scriptingEnabled: boolean, undo: Undone = nothingUndone): string[] {
  const lines: string[] = [];
  write(parse(html, { scriptingEnabled }), '', undo, lines);
  return lines;
}

/** What of a document is taken for not there. */
export interface Undone {
  isInserted(element: DefaultTreeAdapterTypes.Element): boolean;
  /** @returns what it was before */
  value(element: string, attribute: string, value: string): string;
}

export const nothingUndone: Undone = { isInserted: () => false, value: (_element, _attribute, value) => value };

function write(node: Node, indent: string, undo: Undone, lines: string[]): void {
  const deeper = `${indent} `;
  if (defaultTreeAdapter.isElementNode(node)) {
    const attributes = node.attrs.map(({ name, prefix, value }) => {
      return ` ${prefix ?? ''}:${name}=${JSON.stringify(undo.value(node.tagName, name, value))}`;
    });
    lines.push(`${indent}<${node.tagName} ${node.namespaceURI}${attributes.join('')}>`);
    if ('content' in node) write(node.content, `${deeper}#`, undo, lines);
  } else if (defaultTreeAdapter.isCommentNode(node)) lines.push(`${indent}<!--${JSON.stringify(node.data)}`);
  else if (defaultTreeAdapter.isDocumentTypeNode(node))
    lines.push(`${indent}<!${node.name} ${node.publicId} ${node.systemId}`);
  if (!('childNodes' in node)) {
    if ('mode' in node) lines.push(node.mode as string);
    return;
  }
  if ('mode' in node) lines.push(`mode ${node.mode}`);
  writeChildren(node, deeper, undo, lines);
}

/** Texts between which only what was inserted stood are one again. */
function writeChildren(node: DefaultTreeAdapterTypes.ParentNode, indent: string, undo: Undone, lines: string[]): void {
  let text = '';
  const flush = (): void => {
    if (text !== '')
      lines.push(`${indent}${JSON.stringify(undo.value('tagName' in node ? node.tagName : '', '#text', text))}`);
    text = '';
  };
  for (const child of node.childNodes) {
    if (defaultTreeAdapter.isTextNode(child)) text += child.value;
    else if (!(defaultTreeAdapter.isElementNode(child) && undo.isInserted(child))) {
      flush();
      write(child, indent, undo, lines);
    }
  }
  flush();
}

/** Null if there is none. */
export function firstDifference(before: readonly string[], after: readonly string[]): string | null {
  const length = Math.max(before.length, after.length);
  for (let place = 0; place < length; place++) {
    if (before[place] !== after[place]) return `${before[place] ?? 'nothing'}\nis now\n${after[place] ?? 'nothing'}`;
  }
  return null;
}
