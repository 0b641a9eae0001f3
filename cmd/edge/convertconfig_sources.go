package main

import (
	"cmp"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net/url"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// The sources that imgproxy's URLs lead to.
const (
	localSource = "local"
	webSource   = "web"
)

// addSources makes a source of each place that imgproxy may take pictures from. Without
// IMGPROXY_ALLOWED_SOURCES that is every web server.
func (c *conversion) addSources() {
	allowed := splitList(c.vars["IMGPROXY_ALLOWED_SOURCES"], ",")
	if len(allowed) == 0 {
		allowed = []string{"https://", "http://", "local://", "s3://"}
	}
	var web []string
	for _, prefix := range allowed {
		scheme, rest, ok := strings.Cut(prefix, "://")
		switch {
		case ok && (scheme == "http" || scheme == "https"):
			web = append(web, c.allowWeb(prefix, scheme, rest)...)
		case ok && scheme == "local":
			c.allowLocal(prefix, rest)
		case ok && scheme == "s3":
			c.allowBuckets(prefix, rest)
		default:
			c.lose("IMGPROXY_ALLOWED_SOURCES", fmt.Sprintf("%q: there are no sources of that kind; folders, S3 and HTTP are served", prefix))
		}
	}
	if len(web) > 0 {
		c.addSource(webSource)
		c.root.set(yamlList(web), "sources", webSource, "http", "allow")
	}
}

// allowWeb returns our pattern for an allowed web server, where there is one that allows no more.
func (c *conversion) allowWeb(prefix, scheme, rest string) []string {
	host, below, slash := strings.Cut(rest, "/")
	for label := range strings.SplitSeq(host, ".") {
		if label != "*" && strings.Contains(label, "*") {
			c.lose("IMGPROXY_ALLOWED_SOURCES", fmt.Sprintf("%q: * stands for a whole label of the host here", prefix))
			return nil
		}
	}
	switch {
	case strings.ContainsAny(below, "*?#"):
		c.lose("IMGPROXY_ALLOWED_SOURCES", fmt.Sprintf("%q: a path has no * here", prefix))
		return nil
	case host == "":
		host = "*"
	case strings.Contains(host, "*.") || strings.Contains(host, ".*"):
		c.differ("IMGPROXY_ALLOWED_SOURCES", fmt.Sprintf("%q: * stands for one label of the host; imgproxy lets it stand for several", prefix))
	}
	if !slash {
		below = ""
	} else if below != "" && !strings.HasSuffix(below, "/") {
		c.differ("IMGPROXY_ALLOWED_SOURCES", fmt.Sprintf("%q: what lies below the folder is allowed, not what begins with its name", prefix))
		below += "/"
	}
	c.mount.set(webSource, "sources", scheme+"://")
	return []string{scheme + "://" + host + "/" + below}
}

// allowLocal makes a source of a folder below IMGPROXY_LOCAL_FILESYSTEM_ROOT.
func (c *conversion) allowLocal(prefix, rest string) {
	root := c.vars["IMGPROXY_LOCAL_FILESYSTEM_ROOT"]
	if root == "" {
		return
	}
	if strings.Contains(rest, "*") || !strings.HasSuffix("/"+rest, "/") || strings.Contains("/"+rest, "/../") {
		c.lose("IMGPROXY_ALLOWED_SOURCES", fmt.Sprintf("%q: a whole folder can be allowed, as in local:///photos/", prefix))
		return
	}
	folder := strings.Trim(rest, "/")
	name := c.addSource(sourceNameOf(strings.Trim(localSource+"-"+folder, "-")))
	c.root.set(yamlText(filepath.Join(root, filepath.FromSlash(folder))), "sources", name, "dir")
	c.mount.set(name, "sources", prefix)
	if folder == "" {
		c.localRoot = root
	}
}

// allowBuckets makes a source of each bucket that is named.
func (c *conversion) allowBuckets(prefix, rest string) {
	if !c.truth("IMGPROXY_USE_S3") {
		return
	}
	bucket, below, _ := strings.Cut(rest, "/")
	named := slices.Concat(splitList(c.vars["IMGPROXY_S3_ALLOWED_BUCKETS"], ","), c.buckets)
	if bucket != "" {
		named = []string{bucket}
	}
	if len(named) == 0 {
		c.differ("IMGPROXY_USE_S3", "a bucket is served where it is named; name those that URLs speak of with --bucket, IMGPROXY_S3_ALLOWED_BUCKETS or IMGPROXY_ALLOWED_SOURCES")
		return
	}
	for _, bucket := range named {
		if strings.Contains(bucket+below, "*") {
			c.lose("IMGPROXY_ALLOWED_SOURCES", fmt.Sprintf("%q: a bucket and what lies below have no * here", prefix))
			continue
		}
		if !slices.Contains(splitList(c.vars["IMGPROXY_S3_DENIED_BUCKETS"], ","), bucket) {
			c.addBucket(bucket, below)
		}
	}
}

func (c *conversion) addBucket(bucket, below string) {
	name := sourceNameOf(strings.Trim(bucket+"-"+strings.Trim(below, "/"), "-"))
	if name == localSource || name == webSource {
		name = "s3-" + name
	}
	name = c.addSource(name)
	region := cmp.Or(c.vars["IMGPROXY_S3_REGION"], c.vars["AWS_REGION"], defaultRegion)
	endpoint := c.vars["IMGPROXY_S3_ENDPOINT"]
	if endpoint == "" {
		endpoint = "https://s3." + region + ".amazonaws.com"
	} else if !strings.Contains(endpoint, "://") {
		endpoint = "https://" + endpoint
	}
	set := func(value, setting string) { c.root.set(value, "sources", name, "bucket", setting) }
	set(yamlText(endpoint), "endpoint")
	set(yamlText(region), "region")
	set(yamlText(bucket), "name")
	if below != "" {
		set(yamlText(below), "prefix")
	}
	style, given := c.vars["IMGPROXY_S3_ENDPOINT_USE_PATH_STYLE"]
	asked := c.vars["IMGPROXY_S3_ENDPOINT"] != "" && (!given || isTrue(style))
	if asked || strings.Contains(bucket, ".") { // no certificate covers a dot in front of the host
		set("true", "path_style")
	}
	c.mount.set(name, "sources", "s3://"+bucket+"/"+below)
}

// picture returns source/key of a picture that imgproxy knows by its path or URL; "" if it cannot be had.
func (c *conversion) picture(name, address string) string {
	if !strings.Contains(address, "://") {
		return c.pictureFile(name, address)
	}
	u, err := url.Parse(address)
	switch {
	case err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.RawQuery == "" && u.Fragment == "" && u.User == nil && path.Base(u.Path) != "/" && u.Path != "":
		folder := *u
		folder.Path, folder.RawPath = strings.TrimSuffix(path.Dir(u.Path), "/")+"/", ""
		source := c.addOwnSource(name)
		c.root.set(yamlText(folder.String()), "sources", source, "http", "base")
		return source + "/" + path.Base(u.Path)
	case err == nil && u.Scheme == "local" && c.localRoot != "":
		return localSource + "/" + strings.Trim(u.Host+u.Path, "/")
	default:
		return ""
	}
}

// pictureFile makes a source of the folder of a file that lies in none.
func (c *conversion) pictureFile(name, file string) string {
	if c.localRoot != "" {
		if below, err := filepath.Rel(c.localRoot, file); err == nil && filepath.IsLocal(below) {
			return localSource + "/" + filepath.ToSlash(below)
		}
	}
	source := c.addOwnSource(name)
	c.root.set(yamlText(filepath.Dir(file)), "sources", source, "dir")
	return source + "/" + filepath.Base(file)
}

// addSource adds a source of imgproxy's pictures.
func (c *conversion) addSource(name string) string {
	name = c.addOwnSource(name)
	c.sources = append(c.sources, name)
	return name
}

// addOwnSource adds a source with a key of its own, so that nothing can be had from it but through the
// mount. A name that is taken gets a number.
func (c *conversion) addOwnSource(name string) string {
	sources := c.root.at("sources")
	free := name
	taken := func(s *yamlMapping) bool { return s.key == free }
	for n := 2; slices.Contains(reservedNames(), free) || slices.ContainsFunc(sources.inner, taken); n++ {
		free = fmt.Sprintf("%.28s-%d", name, n)
	}
	var secret [32]byte
	_, _ = rand.Read(secret[:]) // never fails
	sources.at(free).set(fmt.Sprintf(`[{id: k1, secret: "%s"}]`, hex.EncodeToString(secret[:])), "keys")
	return free
}

// sourceNameOf makes a source's name of a text.
func sourceNameOf(text string) string {
	name := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return '-'
	}, strings.ToLower(text))
	return cmp.Or(strings.Trim(fmt.Sprintf("%.32s", strings.TrimLeft(name, "-")), "-"), "source")
}
