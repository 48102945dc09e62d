using System.Diagnostics;
using System.Text;
using Sketch.Server.Commands.Load;

namespace Sketch.Tests.Server;

public class TokenSourceTests
{
    private const string Shell = "LC_ALL=C tr -cs 'A-Za-z0-9\\200-\\377' '\\n' | grep -v '^$' || true";

    [Fact]
    public async Task Words_are_what_tr_makes_of_the_same_bytes()
    {
        byte[] text = MadeUpText(seed: 7, length: 3 << 20);
        (List<string> words, long skipped) = await CutAsync(text, Split.Words, chunk: 64 << 10);
        string[] expected = Encoding.UTF8.GetString(await RunAsync(Shell, text)).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(0, skipped);
        Assert.Equal(expected, words);
        Assert.True(words.Count > 100_000);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(7)]
    [InlineData(1000)]
    public async Task Words_do_not_depend_on_how_the_bytes_arrive(int chunk)
    {
        byte[] text = MadeUpText(seed: 8, length: 5_000);
        Assert.Equal((await CutAsync(text, Split.Words, int.MaxValue)).Names, (await CutAsync(text, Split.Words, chunk)).Names);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(300)]
    [InlineData(1 << 20)]
    public async Task What_cannot_be_a_name_is_counted_as_skipped(int chunk)
    {
        byte[] text =
        [
            .. Encoding.ASCII.GetBytes($"a {new string('x', 256)} {new string('y', 257)} {new string('z', 3 << 20)} b "),
            0xFF, 0xFE, (byte)' ', (byte)'c',
        ];
        (List<string> names, long skipped) = await CutAsync(text, Split.Words, chunk);
        Assert.Equal(["a", new string('x', 256), "b", "c"], names);
        Assert.Equal(3, skipped);
    }

    [Fact]
    public async Task A_long_name_may_end_the_input()
    {
        (List<string> names, long skipped) = await CutAsync(Encoding.ASCII.GetBytes("a " + new string('x', 2 << 20)), Split.Words, 1 << 20);
        Assert.Equal(["a"], names);
        Assert.Equal(1, skipped);
    }

    [Fact]
    public async Task Lines_lose_their_end_and_empty_ones_are_left_out()
    {
        (List<string> names, long skipped) = await CutAsync("GET /a \"x\"\r\n\n \nlast\twith tab\nend"u8.ToArray(), Split.Lines, 3);
        Assert.Equal(["GET /a \"x\"", " ", "end"], names);
        Assert.Equal(1, skipped);
    }

    [Theory]
    [InlineData("")]
    [InlineData(" \n\t ")]
    public async Task Nothing_makes_nothing(string text) => Assert.Empty((await CutAsync(Encoding.ASCII.GetBytes(text), Split.Words, 10)).Names);

    private static byte[] MadeUpText(int seed, int length)
    {
        const string Letters = "aAzZ09etaoin éß日本😀 \n\t.,;<>()_-\"'\0&/\\";
        Random random = new(seed);
        StringBuilder text = new(length);
        Rune[] runes = [.. Letters.EnumerateRunes()];
        while (text.Length < length)
        {
            text.Append(runes[random.Next(runes.Length)].ToString());
        }

        return Encoding.UTF8.GetBytes(text.ToString());
    }

    private static async Task<(List<string> Names, long Skipped)> CutAsync(byte[] text, Split split, int chunk)
    {
        TokenSource source = new(new Trickle(text, chunk), split);
        List<string> names = [];
        while (await source.ReadAsync(default))
        {
            while (source.TryRead(out ReadOnlySpan<byte> name))
            {
                names.Add(Encoding.UTF8.GetString(name));
            }
        }

        Assert.Equal(text.Length, source.BytesRead);
        return (names, source.Skipped);
    }

    private static async Task<byte[]> RunAsync(string command, byte[] input)
    {
        ProcessStartInfo start = new("/bin/sh", ["-c", command]) { RedirectStandardInput = true, RedirectStandardOutput = true };
        using Process process = Process.Start(start)!;
        using MemoryStream output = new();
        Task reading = process.StandardOutput.BaseStream.CopyToAsync(output);
        await process.StandardInput.BaseStream.WriteAsync(input);
        process.StandardInput.Close();
        await reading;
        await process.WaitForExitAsync();
        return output.ToArray();
    }
}
