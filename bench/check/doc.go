// Package check looks at answers, so that speed is never bought with wrong bytes: status, magic number
// against Content-Type, format and size against what the URL asks for, and whether one URL keeps its ETag
// and its bytes.
//
//	c := check.New(200)
//	c.Check(check.Answer{Target: "/local/a.jpg?w=300&f=webp", Status: 200, ContentType: "image/webp", Body: body})
//	c.Outcome().Failed   // 0: a WebP, not wider than 300 px
//
// Headers of pictures are read, pixels are not decoded.
package check
