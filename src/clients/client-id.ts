// RFC 6749 appendix A.1: VSCHAR. A space is left out: too easily lost in a shell or a form.
const CLIENT_ID = /^[\x21-\x7e]{1,255}$/;

/** Whether a client can be called that. */
export function isClientId(text: string): boolean {
  return CLIENT_ID.test(text);
}
