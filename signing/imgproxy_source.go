package signing

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"strings"
)

// ErrEncryptedSource is the error of an encrypted source that cannot be read, or of its key.
const ErrEncryptedSource = Error("the encrypted source cannot be read with the mount's source key")

// SourceKey encrypts the source of an imgproxy URL: AES-CBC with 16, 24 or 32 bytes, PKCS #7 padding, the
// IV in front, base64url without padding.
type SourceKey []byte

// Encrypt returns the text that follows enc/. The IV is derived from key and source, so that one source
// has one URL.
func (k SourceKey) Encrypt(source string) (string, error) {
	mac := hmac.New(sha256.New, k)
	_, _ = mac.Write([]byte(source)) // a hash never fails
	return k.EncryptWith(source, [aes.BlockSize]byte(mac.Sum(nil)))
}

// EncryptWith is Encrypt with a given IV. The error is ErrEncryptedSource, for a key of another length.
func (k SourceKey) EncryptWith(source string, iv [aes.BlockSize]byte) (string, error) {
	block, err := aes.NewCipher(k)
	if err != nil {
		return "", ErrEncryptedSource
	}
	pad := aes.BlockSize - len(source)%aes.BlockSize
	text := append(iv[:], source...)
	text = append(text, strings.Repeat(string(rune(pad)), pad)...)
	body := text[aes.BlockSize:]
	cipher.NewCBCEncrypter(block, iv[:]).CryptBlocks(body, body)
	return encoding.EncodeToString(text), nil
}

// Decrypt reads what Encrypt wrote; padding of the base64 is taken too. The error is ErrEncryptedSource,
// whatever is wrong. It does not authenticate: the signature of the URL does.
func (k SourceKey) Decrypt(text string) (string, error) {
	block, err := aes.NewCipher(k)
	if err != nil {
		return "", ErrEncryptedSource
	}
	data, err := encoding.DecodeString(strings.TrimRight(text, "="))
	if err != nil || len(data) < 2*aes.BlockSize || len(data)%aes.BlockSize != 0 {
		return "", ErrEncryptedSource
	}
	iv, body := data[:aes.BlockSize], data[aes.BlockSize:]
	cipher.NewCBCDecrypter(block, iv).CryptBlocks(body, body)
	pad := int(body[len(body)-1])
	if pad < 1 || pad > aes.BlockSize {
		return "", ErrEncryptedSource
	}
	for _, b := range body[len(body)-pad:] {
		if int(b) != pad {
			return "", ErrEncryptedSource
		}
	}
	return string(body[:len(body)-pad]), nil
}
