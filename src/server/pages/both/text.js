'use strict';

// Bytes and characters as text that can be shown. Bytes come as strings with one character for each byte.

const toBytes = text => Uint8Array.from(text, character => character.charCodeAt(0));

// Characters that are invisible or move the text around them. U+DC80 to U+DCFF are bytes of invalid UTF-8, see `decode`.
const INVISIBLE = /([\0-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff\udc80-\udcff]+)/gu;

const escape = text => text.replace(/[^]/gu, character => {
	const code = character.codePointAt(0);
	const isByte = code < 0x80 || code >> 8 === 0xdc;
	const escaped = isByte ? 'x' + (code & 0xff).toString(16).padStart(2, '0') : `u{${code.toString(16)}}`;
	return '\\' + ({ '\n': 'n', '\r': 'r', '\t': 't' }[character] || escaped);
});

const shorten = (text, most) => text.length > most ? `${text.slice(0, most)}… (${text.length} in all)` : text;

const quote = text => `"${shorten(text, 300).replace(INVISIBLE, escape)}"`;

const UTF8 = /[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}|[\x80-\xff]/g;

const ONE_CHARACTER = new TextDecoder('utf-8', { ignoreBOM: true });

// From one character for each byte to text. A byte of invalid UTF-8 becomes a lone surrogate, which valid UTF-8 cannot give.
const decode = bytes => bytes.replace(UTF8, character => {
	const text = ONE_CHARACTER.decode(toBytes(character));
	if (!text.includes('\ufffd')) return text;
	return character.replace(/[^]/g, byte => String.fromCharCode(0xdc00 + byte.charCodeAt(0)));
});
