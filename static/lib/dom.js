// Elements without markup. Whatever the server says goes in as text, so that no name, description
// or log line is ever read as HTML.

const SVG = 'http://www.w3.org/2000/svg';

/**
 * An element. `attributes` may hold `on` (listeners by event name); an attribute that is null,
 * undefined or false is left out. Children are nodes, texts, numbers, or lists of them.
 */
export function h(name, attributes, ...children) {
  return fill(document.createElement(name), attributes, children);
}

/** The same for pictures. */
export function svg(name, attributes, ...children) {
  return fill(document.createElementNS(SVG, name), attributes, children);
}

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (name === 'on') {
      for (const [event, listener] of Object.entries(value)) {
        element.addEventListener(event, listener);
      }
    } else if (value !== null && value !== undefined && value !== false) {
      set(element, name, value === true ? '' : String(value));
    }
  }
  append(element, children);
  return element;
}

function set(element, name, value) {
  if (name.startsWith('on') || name === 'style' || name === 'srcdoc') {
    throw new TypeError(`the attribute ${name} is never set`);
  }
  // Links lead to this site only: a path, never a scheme or another host.
  if ((name === 'href' || name === 'src') && !/^(\/(?![/\\])|#)/.test(value)) {
    throw new TypeError(`not an address of this site: ${value}`);
  }
  element.setAttribute(name, value);
}

/** Adds children: nodes as they are, everything else as text. */
export function append(element, children) {
  for (const child of [children].flat(Infinity)) {
    if (child === null || child === undefined || child === false) continue;
    element.append(child instanceof Node ? child : String(child));
  }
  return element;
}

/** Puts children in the place of those that are there. */
export function put(element, ...children) {
  element.replaceChildren();
  return append(element, children);
}

let ids = 0;

/** An id that no other element has. */
export function unique(prefix) {
  ids += 1;
  return `${prefix}-${ids}`;
}
