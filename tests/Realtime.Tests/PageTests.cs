using System.Net;
using Sketch.Realtime;

namespace Sketch.Tests.Realtime;

public sealed class PageTests
{
    [Fact]
    public async Task Without_a_built_page_the_answer_says_how_to_build_it()
    {
        await using var host = await LiveHost.StartAsync();
        using var http = new HttpClient { BaseAddress = host.Url };
        using var answer = await http.GetAsync(new Uri("/", UriKind.Relative));
        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
        Assert.Contains("npm run build --workspace Realtime/dashboard", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(null, HttpStatusCode.OK)]
    [InlineData("self", HttpStatusCode.OK)]
    [InlineData("https://friend.example", HttpStatusCode.OK)]
    [InlineData("https://evil.example", HttpStatusCode.Forbidden)]
    [InlineData("null", HttpStatusCode.Forbidden)]
    public async Task The_hub_answers_pages_of_its_own_and_of_allowed_origins(string? origin, HttpStatusCode expected)
    {
        await using var host = await LiveHost.StartAsync(options => options.AllowedOrigins.Add("https://friend.example/"));
        using var http = new HttpClient { BaseAddress = host.Url };
        using var request = new HttpRequestMessage(HttpMethod.Post, RealtimeEndpointExtensions.HubPath + "/negotiate?negotiateVersion=1");
        if (origin is not null)
            request.Headers.Add("Origin", origin == "self" ? host.Url.GetLeftPart(UriPartial.Authority) : origin);
        using var answer = await http.SendAsync(request);
        Assert.Equal(expected, answer.StatusCode);
    }
}
