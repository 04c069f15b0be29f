/* sha256.c: SHA-256 (FIPS 180-4), to say which kernel was compiled. */

#include "loader.h"

static const unsigned K[64] = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74,
	0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d,
	0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e,
	0x92722c85, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5,
	0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

#define ROTATE(x, n) ((x) >> (n) | (x) << (32 - (n)))

static void block(unsigned state[8], const unsigned char *data)
{
	unsigned w[64], s[8], t1, t2;
	int i;

	for (i = 0; i < 16; i++)
		w[i] = (unsigned)data[4 * i] << 24 | data[4 * i + 1] << 16 | data[4 * i + 2] << 8 | data[4 * i + 3];
	for (; i < 64; i++) {
		t1 = w[i - 15];
		t2 = w[i - 2];
		w[i] = w[i - 16] + w[i - 7] + (ROTATE(t1, 7) ^ ROTATE(t1, 18) ^ t1 >> 3) + (ROTATE(t2, 17) ^ ROTATE(t2, 19) ^ t2 >> 10);
	}
	for (i = 0; i < 8; i++)
		s[i] = state[i];
	for (i = 0; i < 64; i++) {
		t1 = s[7] + (ROTATE(s[4], 6) ^ ROTATE(s[4], 11) ^ ROTATE(s[4], 25)) + ((s[4] & s[5]) ^ (~s[4] & s[6])) + K[i] + w[i];
		t2 = (ROTATE(s[0], 2) ^ ROTATE(s[0], 13) ^ ROTATE(s[0], 22)) + ((s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]));
		s[7] = s[6];
		s[6] = s[5];
		s[5] = s[4];
		s[4] = s[3] + t1;
		s[3] = s[2];
		s[2] = s[1];
		s[1] = s[0];
		s[0] = t1 + t2;
	}
	for (i = 0; i < 8; i++)
		state[i] += s[i];
}

void sha256(const void *data, size_t length, unsigned char digest[32])
{
	unsigned state[8] = { 0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19 };
	const unsigned char *d = data;
	unsigned char last[128];
	size_t rest = length & 63, whole = length - rest, i, padded = rest < 56 ? 64 : 128;

	for (i = 0; i < whole; i += 64)
		block(state, d + i);
	memset(last, 0, sizeof last);
	memcpy(last, d + whole, rest);
	last[rest] = 0x80;
	for (i = 0; i < 8; i++)
		last[padded - 1 - i] = (unsigned long long)length * 8 >> (8 * i);
	for (i = 0; i < padded; i += 64)
		block(state, last + i);
	for (i = 0; i < 32; i++)
		digest[i] = state[i / 4] >> (24 - 8 * (i & 3));
}
