package main

// The dialects of mounts, and thumbor's flavors.
const (
	dialectImgproxy = "imgproxy"
	dialectThumbor  = "thumbor"
	flavorThumbor   = "thumbor"
	flavorImagor    = "imagor"
)

// Mount serves the URLs of another dialect below a prefix, under a host, or both.
type Mount struct {
	Dialect            string            `yaml:"dialect" env:"DIALECT"`                         // imgproxy, thumbor
	Prefix             string            `yaml:"prefix" env:"PREFIX"`                           // /imgproxy; "" = everything under Host
	Host               string            `yaml:"host" env:"HOST"`                               // img.example.com; "" = every host
	Sources            map[string]string `yaml:"sources" env:"-"`                               // source by what the image's URL begins with
	RespectOrientation *bool             `yaml:"respect_orientation" env:"RESPECT_ORIENTATION"` // nil = true
	AutoFormat         bool              `yaml:"auto_format" env:"AUTO_FORMAT"`

	// Of imgproxy alone.
	Keys                  []SaltedKey       `yaml:"keys" envPrefix:"KEYS"`               // the first signs, all verify
	SignatureSize         int               `yaml:"signature_size" env:"SIGNATURE_SIZE"` // bytes; 0 = 32
	TrustedSignatures     []Secret          `yaml:"trusted_signatures" env:"TRUSTED_SIGNATURES"`
	TrustedSignaturesFile string            `yaml:"trusted_signatures_file" env:"TRUSTED_SIGNATURES_FILE"` // one a line
	Unsigned              bool              `yaml:"unsigned" env:"UNSIGNED"`
	SourceKey             Secret            `yaml:"source_key" env:"SOURCE_KEY"` // hex, 16, 24 or 32 bytes
	SourceKeyFile         string            `yaml:"source_key_file" env:"SOURCE_KEY_FILE"`
	Presets               map[string]string `yaml:"presets" env:"-"` // in imgproxy's text
	PresetsOnly           bool              `yaml:"presets_only" env:"PRESETS_ONLY"`
	BaseURL               string            `yaml:"base_url" env:"BASE_URL"`
	Replacements          []string          `yaml:"replacements" env:"REPLACEMENTS"` // pattern=replacement
	Base64Filename        bool              `yaml:"base64_filename" env:"BASE64_FILENAME"`
	Separator             string            `yaml:"separator" env:"SEPARATOR"`             // "" = ":"
	AllowedOptions        []string          `yaml:"allowed_options" env:"ALLOWED_OPTIONS"` // none = all
	SecurityOptions       bool              `yaml:"security_options" env:"SECURITY_OPTIONS"`
	PreferredFormats      []string          `yaml:"preferred_formats" env:"PREFERRED_FORMATS"` // none = jpeg, png, gif
	Watermark             string            `yaml:"watermark" env:"WATERMARK"`                 // name, or source/key

	// Of thumbor and imagor alone.
	Flavor     string `yaml:"flavor" env:"FLAVOR"` // thumbor, imagor; "" = thumbor
	Source     string `yaml:"source" env:"SOURCE"` // of the images that no prefix of sources fits; "" = 404
	Key        Secret `yaml:"key" env:"KEY"`
	KeyFile    string `yaml:"key_file" env:"KEY_FILE"`
	Algorithm  string `yaml:"algorithm" env:"ALGORITHM"` // sha1, sha256, sha512; "" = sha1
	Truncate   int    `yaml:"truncate" env:"TRUNCATE"`   // characters of the hash; 0 = all
	Unsafe     bool   `yaml:"unsafe" env:"UNSAFE"`
	Scheme     string `yaml:"scheme" env:"SCHEME"` // http, https; "" = http, for imagor https
	BaseParams string `yaml:"base_params" env:"BASE_PARAMS"`
}

// SaltedKey is one pair of imgproxy's key and salt.
type SaltedKey struct {
	Key      Secret `yaml:"key" env:"KEY"` // hex
	KeyFile  string `yaml:"key_file" env:"KEY_FILE"`
	Salt     Secret `yaml:"salt" env:"SALT"` // hex
	SaltFile string `yaml:"salt_file" env:"SALT_FILE"`
}
