import { isUtf8 } from 'node:buffer';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { InvalidRequest } from '../core/errors.ts';
import { noParameters, type Parameters, parseParameters } from '../core/parameters.ts';
import { ContentTooLarge, RequestAborted, UnsupportedMediaType } from './refusals.ts';

/** Longest form body, in bytes. */
export const FORM_LIMIT_BYTES = 64 * 1024;

/**
 * Reads the body of a POST: one `application/x-www-form-urlencoded` form in UTF-8, not compressed (a small request must not grow here), or
 * no body at all. How long the client may take is the server's `requestTimeout`.
 * @throws UnsupportedMediaType on any other content, ContentTooLarge beyond `FORM_LIMIT_BYTES`, InvalidRequest when the text is ill-formed,
 * RequestAborted when the client goes away.
 */
export async function readForm(request: IncomingMessage, response: ServerResponse): Promise<Parameters> {
  const { 'content-type': contentType, 'content-length': contentLength, 'content-encoding': encoding } = request.headers;
  const empty = contentLength === '0' || (contentLength === undefined && request.headers['transfer-encoding'] === undefined);
  if (empty && contentType === undefined) {
    return noParameters;
  }
  if (!isForm(contentType)) {
    throw new UnsupportedMediaType('The content type must be application/x-www-form-urlencoded, in UTF-8.');
  }
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity') {
    throw new UnsupportedMediaType('The body must not have a content encoding.');
  }
  if (Number(contentLength) > FORM_LIMIT_BYTES) {
    throw tooLarge();
  }
  if (request.headers.expect !== undefined) {
    response.writeContinue();
  }
  return empty ? noParameters : parseParameters(utf8(await readBytes(request)));
}

function isForm(contentType: string | undefined): boolean {
  if (contentType === 'application/x-www-form-urlencoded') {
    return true;
  }
  const [type = '', ...parameters] = (contentType ?? '').toLowerCase().split(';');
  return type.trim() === 'application/x-www-form-urlencoded' && parameters.every(isHarmless);
}

function isHarmless(parameter: string): boolean {
  const [name, value] = parameter.split('=');
  return name?.trim() !== 'charset' || /^\s*"?utf-?8"?\s*$/.test(value ?? '');
}

function readBytes(request: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    const onData = (chunk: Buffer) => {
      length += chunk.length;
      if (length > FORM_LIMIT_BYTES) {
        // The stream goes on flowing, into nothing.
        request.off('data', onData);
        reject(tooLarge());
      } else {
        chunks.push(chunk);
      }
    };
    const onClose = () => {
      if (!request.complete) {
        reject(new RequestAborted());
      }
    };
    request.on('data', onData);
    request.once('end', () => resolve(chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks)));
    request.once('close', onClose);
    request.once('error', onClose);
  });
}

function utf8(bytes: Buffer): string {
  if (!isUtf8(bytes)) {
    throw new InvalidRequest('The body is not application/x-www-form-urlencoded text in UTF-8.');
  }
  return bytes.toString();
}

function tooLarge(): ContentTooLarge {
  return new ContentTooLarge(`The body must not be longer than ${FORM_LIMIT_BYTES} bytes.`);
}
