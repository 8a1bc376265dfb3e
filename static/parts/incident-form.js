// Makes something happen: a CVE, an outage of builders, a tampered attestation, a builder that is
// not trusted any more.
import { post } from '../lib/api.js';
import { h, put } from '../lib/dom.js';
import { field } from './field.js';
import { problem } from './states.js';

const KINDS = [
  ['cve', 'a CVE is disclosed'],
  ['builder_outage', 'builders fail'],
  ['tampered_attestation', 'an attestation is tampered with'],
  ['distrusted_builder', 'a builder is not trusted any more'],
];
const SEVERITIES = ['critical', 'high', 'medium', 'low'].map((name) => [name, name]);

/** The form; `done` is called when something was asked for. */
export function incidentForm(done) {
  const kind = field('incident-kind', 'What happens', { options: KINDS });
  const fields = {
    cve: [
      field('incident-severity', 'Severity', { options: SEVERITIES }),
      percent('incident-share', 'Images hit, %', 80),
    ],
    builder_outage: [
      count('incident-builders', 'Builders', 1),
      count('incident-minutes', 'For minutes', 240),
    ],
    tampered_attestation: [field('incident-image', 'Image', { required: true, maxlength: 63 })],
    distrusted_builder: [field('incident-builder', 'Builder', { value: 'builder-0' })],
  };
  const body = {
    cve: ([severity, share]) => ({ severity, image_share: Number(share) / 100 }),
    builder_outage: ([builders, minutes]) => ({
      builders: Number(builders),
      duration_minutes: Number(minutes),
    }),
    tampered_attestation: ([image]) => ({ image }),
    distrusted_builder: ([builder]) => ({ builder }),
  };
  const chosen = h('div', { class: 'fields' });
  const told = h('div', { role: 'status' });
  const show = () => put(chosen, fields[kind.input.value].map((each) => each.element));
  kind.input.addEventListener('change', show);
  const submit = async (event) => {
    event.preventDefault();
    const name = kind.input.value;
    const values = fields[name].map((each) => each.input.value.trim());
    put(told, h('p', null, 'asking …'));
    try {
      const command = await post('/v1/incidents', { [name]: body[name](values) });
      const when = 'it happens with the next step of the clock';
      put(told, h('p', null, `Asked for (#${command.id}): ${when}.`));
      done();
    } catch (error) {
      put(told, problem(error));
    }
  };
  show();
  const button = h('button', { type: 'submit' }, 'Let it happen');
  return [h('form', { class: 'filters', on: { submit } }, kind.element, chosen, button), told];
}

function count(id, title, value) {
  return field(id, title, { type: 'number', min: 1, max: 100_000, value });
}

function percent(id, title, value) {
  return field(id, title, { type: 'number', min: 1, max: 100, value });
}
