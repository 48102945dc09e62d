using System.Security.Cryptography;
using Sketch.Sketches;

namespace Sketch.Tests.Sketches;

public sealed class SketchKeyTests
{
    private static readonly byte[] Secret = [.. Enumerable.Range(0, 32).Select(i => (byte)i)];

    [Fact]
    public void The_same_place_derives_the_same_key()
    {
        Assert.Equal(SketchKey.Derive(Secret, "count-min", 3, 99), SketchKey.Derive(Secret, "count-min", 3, 99));
    }

    [Fact]
    public void Another_secret_purpose_log_or_position_derives_another_key()
    {
        SketchKey[] keys =
        [
            SketchKey.Derive(Secret, "count-min", 3, 99),
            SketchKey.Derive(Secret, "count-min", 3, 100),
            SketchKey.Derive(Secret, "count-min", 4, 99),
            SketchKey.Derive(Secret, "distinct", 3, 99),
            SketchKey.Derive(Secret.AsSpan(1), "count-min", 3, 99),
        ];
        Assert.Equal(keys.Length, keys.Distinct().Count());
        Assert.Equal(keys.Length, keys.Select(k => k.KeyId).Distinct().Count());
    }

    [Fact]
    public void Derived_keys_are_hkdf_sha256()
    {
        byte[] info = [3, 0, 0, 0, 0, 0, 0, 0, 99, 0, 0, 0, 0, 0, 0, 0, .. "count-min"u8];
        byte[] expected = HKDF.DeriveKey(HashAlgorithmName.SHA256, Secret, 16, "sketch key v1"u8.ToArray(), info);
        SketchKey key = SketchKey.Derive(Secret, "count-min", 3, 99);
        Assert.Equal(expected, (byte[])[.. BitConverter.GetBytes(key.K0), .. BitConverter.GetBytes(key.K1)]);
    }

    [Fact]
    public void A_key_never_shows_itself_in_text()
    {
        SketchKey key = SketchKey.Derive(Secret, "count-min", 3, 99);
        Assert.Equal($"key {key.KeyId:x16}", key.ToString());
    }

    [Fact]
    public void A_short_secret_is_refused() =>
        Assert.Throws<ArgumentException>(() => SketchKey.Derive(new byte[15], "count-min", 0, 0));
}
