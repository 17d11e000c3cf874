/**
 * The members of a `Link` field (RFC 8288 §3) without those that have the parameter `wlis`, which are of the one who sent them
 * and are written anew by each; null if none is left. The value itself if it has no such member.
 */
export function withoutToldLinks(value: string): string | null {
  if (!isTold.test(value)) return value;
  const kept = membersOf(value).filter((member) => !isTold.test(withoutTarget(member)));
  return kept.length === 0 ? null : kept.join(', ');
}

/** As `FieldsBlock` has it. */
const isTold = /;\s*wlis\s*(?:[;,=]|$)/i;

const withoutTarget = (member: string): string => member.replace(/^\s*<[^>]*>/, '').replace(/"(?:[^"\\]|\\.)*"/g, '""');

/** Separated by commas that are neither in a target nor in a quoted string. */
function membersOf(value: string): string[] {
  const members: string[] = [];
  let start = 0;
  let inside: '' | '"' | '>' = '';
  for (let i = 0; i <= value.length; i++) {
    const c = value[i];
    if (c === undefined || (c === ',' && inside === '')) {
      const member = value.slice(start, i).trim();
      if (member !== '') members.push(member);
      start = i + 1;
    } else if (inside === '"' && c === '\\') i++;
    else if (inside === '') inside = c === '"' ? '"' : c === '<' ? '>' : '';
    else if (c === inside) inside = '';
  }
  return members;
}
