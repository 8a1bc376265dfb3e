// What went wrong, in the shape of the API's problems (RFC 9457), also when no server answered.

/** An answer that is no success. `code` is stable; people read the rest. */
export class Problem extends Error {
  constructor(fields) {
    super(fields.detail || fields.title);
    this.name = 'Problem';
    this.status = fields.status ?? 0;
    this.code = fields.code ?? 'unknown';
    this.title = fields.title ?? 'Something went wrong';
    this.detail = fields.detail ?? '';
    this.hint = fields.hint ?? '';
    this.requestId = fields.request_id ?? '';
    this.errors = Array.isArray(fields.errors) ? fields.errors : [];
  }

  /** From an answer whose status is no success. */
  static async of(response) {
    const requestId = response.headers.get('x-request-id') ?? '';
    const fallback = {
      status: response.status,
      code: `http_${response.status}`,
      title: `The server answered ${response.status}`,
      hint: 'Something between this page and the API may be in the way. Try again.',
      request_id: requestId,
    };
    if (!(response.headers.get('content-type') ?? '').includes('json')) {
      return new Problem(fallback);
    }
    const body = await response.json().catch(() => null);
    return new Problem(body && typeof body === 'object' ? { ...fallback, ...body } : fallback);
  }

  /** When there was no answer at all. */
  static unreachable() {
    return new Problem({
      code: 'unreachable',
      title: 'The server cannot be reached',
      detail: 'There was no answer.',
      hint: 'See whether the server runs and whether you are online; then try again.',
    });
  }

  /** From whatever was thrown. */
  static from(error) {
    if (error instanceof Problem) return error;
    console.error(error);
    return new Problem({
      code: 'page_error',
      title: 'This page has a defect',
      detail: error instanceof Error ? error.message : String(error),
      hint: 'Reload the page. If that does not help, report what is written here.',
    });
  }
}
