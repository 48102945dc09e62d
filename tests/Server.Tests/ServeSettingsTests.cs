using Microsoft.Extensions.Configuration;
using Sketch.Server;
using Sketch.Server.Hosting;

namespace Sketch.Tests.Server;

public class ServeSettingsTests
{
    [Fact]
    public void Without_settings_the_documented_defaults_hold()
    {
        ServeOptions options = Bind([], []);
        Assert.Equal((8080, 8123, 5, 1, 16L << 20), (options.HttpPort, options.SqlPort, options.WindowSeconds, options.CheckpointEverySeconds, options.SketchMemoryBytes));
        Assert.Equal(Path.GetFullPath("data"), options.Data);
        Assert.Null(options.Demo);
    }

    [Theory]
    [InlineData("Sketch:HttpPort")]
    [InlineData("SKETCH:HTTP_PORT")]
    [InlineData("sketch:http-port")]
    public void The_environment_may_write_a_name_in_any_usual_way(string key) => Assert.Equal(9_000, Bind(new() { [key] = "9000" }, []).HttpPort);

    [Fact]
    public void The_command_line_wins()
    {
        ServeOptions options = Bind(new() { ["Sketch:HttpPort"] = "9000", ["Sketch:Window"] = "7" }, new() { ["http-port"] = "0" });
        Assert.Equal((0, 7), (options.HttpPort, options.WindowSeconds));
    }

    [Theory]
    [InlineData("65536", 65_536)]
    [InlineData("64KiB", 65_536)]
    [InlineData("1GiB", 1L << 30)]
    public void Sizes_have_units(string text, long bytes) => Assert.Equal(bytes, Bind([], new() { ["sketch-memory"] = text }).SketchMemoryBytes);

    [Theory]
    [InlineData("http-port", "65536", "0 to 65535")]
    [InlineData("http-port", "-1", "0 to 65535")]
    [InlineData("sql-port", "x", "0 to 65535")]
    [InlineData("window", "0", "1 to 3600")]
    [InlineData("checkpoint-every", "3601", "1 to 3600")]
    [InlineData("checkpoint-every", "1.5", "1 to 3600")]
    [InlineData("sketch-memory", "4095", "4096 to")]
    [InlineData("sketch-memory", "2GiB", "1073741824")]
    [InlineData("sketch-memory", "9223372036854775807KiB", "1073741824")]
    [InlineData("clickhouse", "localhost", "http://")]
    [InlineData("nats", "http://x", "nats://")]
    [InlineData("node", "a b", "letters, digits")]
    [InlineData("demo", "perhaps", "true or false")]
    [InlineData("data", "", "a folder")]
    public void A_bad_value_is_refused_with_field_value_and_what_is_allowed(string name, string value, string allowed)
    {
        SettingException refused = Assert.Throws<SettingException>(() => Bind([], new() { [name] = value }));
        Assert.Equal(ExitCode.Usage, refused.ExitStatus);
        Assert.StartsWith($"--{name} is {(value.Length == 0 ? "empty" : value)}; allowed: ", refused.Message, StringComparison.Ordinal);
        Assert.Contains(allowed, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_misspelt_setting_is_refused()
    {
        SettingException refused = Assert.Throws<SettingException>(() => Bind(new() { ["Sketch:HtpPort"] = "1" }, []));
        Assert.Contains("Sketch:HtpPort is not a setting; allowed: data, http-port", refused.Message, StringComparison.Ordinal);
    }

    private static ServeOptions Bind(Dictionary<string, string?> settings, Dictionary<string, string> commandLine) =>
        ServeSettings.Bind(new ConfigurationBuilder().AddInMemoryCollection(settings).Build(), commandLine);
}
