package main

import (
	"fmt"
	"strings"
)

// secretField is one secret with the setting that may name a file in its place.
type secretField struct {
	path  string
	value *Secret
	file  *string
}

// secrets lists every secret of the configuration, except Redis' addresses.
func (c *Config) secrets() []secretField {
	all := []secretField{{"admin.debug_token", &c.Admin.DebugToken, &c.Admin.DebugTokenFile}}
	all = append(all, secretField{"webhooks.secret", &c.Webhooks.Secret, &c.Webhooks.SecretFile})
	for i := range c.Tokens {
		t := &c.Tokens[i]
		all = append(all, secretField{fmt.Sprintf("tokens[%d].secret", i), &t.Secret, &t.SecretFile})
	}
	for i := range c.Dialects {
		all = append(all, c.Dialects[i].secrets(fmt.Sprintf("dialects[%d]", i))...)
	}
	for _, name := range c.sourceNames() {
		s, path := c.Sources[name], "sources."+name
		for i := range s.Keys {
			k := &s.Keys[i]
			all = append(all, secretField{fmt.Sprintf("%s.keys[%d].secret", path, i), &k.Secret, &k.SecretFile})
		}
		if b := s.Bucket; b != nil {
			all = append(all,
				secretField{path + ".bucket.access_key", &b.AccessKey, &b.AccessKeyFile},
				secretField{path + ".bucket.secret_key", &b.SecretKey, &b.SecretKeyFile})
		}
	}
	return all
}

// secrets lists those of a mount, except the trusted signatures.
func (m *Mount) secrets(path string) []secretField {
	all := make([]secretField, 0, 2+2*len(m.Keys))
	all = append(all,
		secretField{path + ".key", &m.Key, &m.KeyFile},
		secretField{path + ".source_key", &m.SourceKey, &m.SourceKeyFile})
	for i := range m.Keys {
		k, at := &m.Keys[i], fmt.Sprintf("%s.keys[%d]", path, i)
		all = append(all, secretField{at + ".key", &k.Key, &k.KeyFile}, secretField{at + ".salt", &k.Salt, &k.SaltFile})
	}
	return all
}

// readTrusted replaces the file of trusted signatures by its lines.
func (m *Mount) readTrusted(r *report, path string) {
	text, ok := readSecret(r, path+".trusted_signatures", m.TrustedSignaturesFile, len(m.TrustedSignatures) > 0)
	m.TrustedSignaturesFile = ""
	if !ok {
		return
	}
	m.TrustedSignatures = nil
	for line := range strings.FieldsSeq(text) {
		m.TrustedSignatures = append(m.TrustedSignatures, Secret(line))
	}
}

// readSecrets replaces each NAME_file by the text of that file, without the white space around it.
func (c *Config) readSecrets(r *report) {
	for _, s := range c.secrets() {
		if text, ok := readSecret(r, s.path, *s.file, *s.value != ""); ok {
			*s.value = Secret(text)
		}
		*s.file = ""
	}
	for i := range c.Dialects {
		c.Dialects[i].readTrusted(r, fmt.Sprintf("dialects[%d]", i))
	}
	c.Redis.URL.readFile(r, "redis.url", &c.Redis.URLFile)
	c.Redis.QueueURL.readFile(r, "redis.queue_url", &c.Redis.QueueURLFile)
}

// readFile replaces the address by the text of the file, where one is named.
func (u *RedisURL) readFile(r *report, path string, file *string) {
	if text, ok := readSecret(r, path, *file, *u != ""); ok {
		*u = RedisURL(text)
	}
	*file = ""
}

func readSecret(r *report, path, file string, given bool) (string, bool) {
	if file == "" {
		return "", false
	}
	if given && !r.env[envName(path+"_file")] || r.env[envName(path)] {
		r.add(path, "is given twice: here and by "+path+"_file")
		return "", false
	}
	data, err := r.files.read(file)
	if err != nil {
		r.add(path+"_file", err.Error())
		return "", false
	}
	text := strings.TrimSpace(string(data))
	if text == "" {
		r.add(path+"_file", "the file "+file+" is empty")
		return "", false
	}
	return text, true
}
