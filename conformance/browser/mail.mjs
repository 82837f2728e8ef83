// The mailbox of the development server, as people read it.

/** What `reads` finds in the newest message to `to` in which it finds something and which nobody has taken; waits for it. */
async function takes(server, to, reads) {
  for (let tries = 0; tries < 150; tries += 1) {
    const all = await (await fetch(server.messages)).json();
    const fits = all.filter((message) => message.to === to && !taken.has(message.id) && reads(message.text));
    if (fits.length) {
      taken.add(fits.at(-1).id);
      return reads(fits.at(-1).text);
    }
    await new Promise((resolve) => { setTimeout(resolve, 100); });
  }
  throw new Error(`nothing of use arrived for ${to}`);
}

/** The code that was sent to `to`: a line of a mail, the end of a text message. */
export function code(server, to) {
  return takes(server, to, (text) => (text.match(/^\s*(\d{6})\s*$/m) ?? text.match(/#(\d{6})\s*$/))?.[1]);
}

/** The link to the page `path` that was sent to `to`. */
export function link(server, to, path) {
  return takes(server, to, (text) => text.match(/https?:\/\/\S+token=\S+/g)?.find((found) => new URL(found).pathname.endsWith(path)));
}

const taken = new Set();
