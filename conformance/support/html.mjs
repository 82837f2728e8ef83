// As much HTML as a person without JavaScript needs: the forms of a page, their controls, and whether an id is there.

/** The forms of a page: action, method, and the controls in document order, those tied by `form=` included. */
export function forms(html) {
  const list = [];
  let open = null;
  const text = html.replace(/<!--[\s\S]*?-->/g, '').replace(/<(script|style)\b[\s\S]*?<\/\1\s*>/gi, '');
  for (const [, closing, tag, rest] of text.matchAll(/<(\/?)([a-z][a-z0-9-]*)((?:"[^"]*"|'[^']*'|[^'">])*)>/gi)) {
    const name = tag.toLowerCase();
    if (name === 'form') {
      open = null;
      if (!closing) {
        const { action = '', method = 'get', id } = attributes(rest);
        open = { action, method: method.toLowerCase(), id, controls: [] };
        list.push(open);
      }
    } else if (!closing && (name === 'input' || name === 'button')) {
      const control = attributes(rest);
      control.type = (control.type ?? (name === 'input' ? 'text' : 'submit')).toLowerCase();
      const owner = control.form === undefined ? open : { form: control.form };
      if (owner?.controls) owner.controls.push(control);
      else if (owner) list.pending = [...(list.pending ?? []), control];
    }
  }
  for (const control of list.pending ?? []) list.find((form) => form.id === control.form)?.controls.push(control);
  return list;
}

/** The links of a page, with their attributes. */
export function links(html) {
  return [...html.matchAll(/<a\b((?:"[^"]*"|'[^']*'|[^'">])*)>/gi)].map(([, rest]) => attributes(rest));
}

/** Whether the page holds an element of this id. */
export function hasId(html, id) {
  return new RegExp(`\\sid\\s*=\\s*(?:"${id}"|'${id}'|${id}(?=[\\s>]))`).test(html);
}

/** The text a person reads, tags away. */
export function text(html) {
  return decode(html.replace(/<(script|style)\b[\s\S]*?<\/\1\s*>/gi, '').replace(/<[^>]*>/g, ' ')).replace(/\s+/g, ' ').trim();
}

function attributes(source) {
  const found = {};
  for (const [, name, double, single, bare] of source.matchAll(/([^\s"'>/=]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+)))?/g)) {
    found[name.toLowerCase()] ??= decode(double ?? single ?? bare ?? '');
  }
  return found;
}

const ENTITIES = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: ' ' };

function decode(value) {
  return value.replace(/&(?:#x([0-9a-f]+)|#(\d+)|([a-z]+));/gi, (whole, hex, decimal, name) => {
    if (name) return ENTITIES[name.toLowerCase()] ?? whole;
    return String.fromCodePoint(hex ? Number.parseInt(hex, 16) : Number(decimal));
  });
}
